"""What a manager reads of an experiment: the numbers, and what is known, in sentences."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console

from flink_app.config import load
from flink_app.lookup.experiments import report, sentences, shown, whole
from udfs.experiments import standing
from udfs.experiments.results import PREFIX, decide, fields
from udfs.experiments.standing import Standing
from udfs.experiments.told import Told, read
from udfs.experiments.words import Known
from udfs.options.experiments import Experiment, Variant

BEGAN, NOW = 1_763_900_000_000, 1_764_000_000_000
ONE = Experiment(
    name="diverse",
    share=0.2,
    variants=[Variant(name="now"), Variant(name="new", set={"rerank.diversity": 0.5})],
)


def sums(name: str, clicks: float, n: float = 1000.0) -> dict[str, float]:
    """As if each of n users had looked at 10 items, and those clicked so many of them who do."""
    made = {"users": n, "lists": 3 * n, "views": 10 * n, "views*views": 100 * n}
    made |= {"clicks": n * clicks, "views*clicks": 10 * n * clicks, "value": n / 8}
    made |= {"clicks*clicks": n * (clicks + clicks * clicks), "conversions": n / 20}
    return {f"diverse:{name}:{measure}": value for measure, value in made.items()}


def written(
    counted: dict[str, float], ended: int = 0, waits: str = "", one: Experiment = ONE
) -> dict[str, str]:
    """The fields of `stats` about it."""
    found = fields(counted, [one], decide(counted, [one], {}, NOW))
    return found | standing.fields([Known(one, BEGAN, ended)], {one.name: waits})


def of(told: dict[str, str]) -> tuple[Told, Standing]:
    own = {name.removeprefix(PREFIX): value for name, value in told.items()}
    [one], [there] = read(own), standing.read(own)
    return whole(one, there), there


def screen(told: dict[str, str]) -> list[str]:
    out = Console(file=io.StringIO(), width=80, highlight=False)
    out.print(shown(*of(told)))
    assert isinstance(out.file, io.StringIO)
    return [line.strip() for line in out.file.getvalue().splitlines()]


def test_numbers_and_lifts_are_a_table_that_an_ordinary_terminal_has_room_for() -> None:
    lines = screen(written(sums("now", 1.0) | sums("new", 1.5)))
    assert lines[0] == "diverse: 20 % of all users, by clicks per view, since 2025-11-23 12:13 UTC"
    rows = {line.split("  ")[0]: line.split() for line in lines[1:] if line}
    assert rows["now"] == ["now", "new"] if "now" in rows else True
    assert rows["users"] == ["users", "1,000", "1,000"]
    assert rows["lists"][1:] == ["3,000", "3,000"] and rows["views"][1:] == ["10,000", "10,000"]
    assert rows["clicks"][1:] == ["1,000", "1,500"] and rows["value"][1:] == ["125.00", "125.00"]
    assert rows["conversions"][1:] == ["50", "50"]
    assert rows["clicks per view"][3:] == ["0.1", "0.15"] and rows["lift"][1:] == ["+50.0%"]
    assert rows["at least"][2:] < rows["at most"][2:]
    assert rows["decided since"][2:] == ["2025-11-24", "16:00", "UTC"]
    assert " ".join(lines).count("…") == 0
    said = " ".join(lines[-2:])
    assert said.startswith("new: better than now, +50.0% clicks per view (+") and "decided" in said


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        ({}, "new: not known yet, 0 of 50 users in now and 0 of 50 users in new."),
        (sums("now", 1, 70) | sums("new", 1, 12), "new: not known yet, 12 of 50 users in new."),
        (sums("now", 0, 70) | sums("new", 1, 70), "need what is as certain as 50 clicks."),
        (sums("now", 1) | sums("new", 1.01), "new: not decided yet, -"),
        (sums("now", 1) | sums("new", 0.5), "new: worse than now, -50.0% clicks per view ("),
    ],
)
def test_what_is_known_is_a_sentence(counted: dict[str, float], words: str) -> None:
    [found] = sentences(of(written(counted))[0])
    assert words in found


def test_variants_without_users_and_in_their_order_are_shown_too() -> None:
    turned = msgspec.structs.replace(ONE, variants=[*reversed(ONE.variants), Variant(name="last")])
    lines = screen(written(sums("now", 1.0), one=turned))
    assert lines[2].split() == ["new", "now", "last"]
    assert next(line for line in lines if line.startswith("users")).split()[1:] == [
        "0", "1,000", "0",
    ]  # fmt: skip


def test_sizes_that_do_not_fit_are_told_first() -> None:
    alarm, _ = sentences(of(written(sums("now", 1.0) | sums("new", 1.0, 400)))[0])
    assert alarm.startswith("Do not trust these numbers: 1,000 in now and 400 in new do not fit")


def test_what_waits_and_what_is_over_is_told() -> None:
    waiting = standing.fields([Known(ONE, BEGAN)], {"diverse": "another sets rules."})
    assert screen(waiting) == [
        "diverse: 20 % of all users, by clicks per view, since 2025-11-23 12:13 UTC",
        "It waits: another sets rules.",
    ]
    lines = screen(written(sums("now", 1.0) | sums("new", 1.5), ended=NOW))
    assert " ".join(lines[:2]).endswith("ended 2025-11-24 16:00 UTC")
    one, _ = of(written({}))
    configured = Standing(ONE)
    out = Console(file=io.StringIO(), width=80)
    out.print(shown(one, configured))
    assert isinstance(out.file, io.StringIO)
    assert "from the configuration" in out.file.getvalue()


def test_all_are_reported_or_one_also_as_json(
    redis_url: str, redis_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load(None, [f"redis.url={redis_url}"], {})
    assert report(loaded, "", False) == 1
    assert "the job tells of no experiment" in capsys.readouterr().err
    other = msgspec.structs.replace(ONE, name="other")
    told = written(sums("now", 1.0) | sums("new", 1.5)) | written({}, one=other)
    redis_client.hset("stats", mapping={**told, "received": "5"})
    assert report(loaded, "", False) == 0
    out = capsys.readouterr().out
    assert out.index("diverse: 20 %") < out.index("other: 20 %")
    assert report(loaded, "none", False) == 1
    assert "no experiment none: the job tells of diverse and other" in capsys.readouterr().err
    assert report(loaded, "diverse", True) == 0
    [row] = msgspec.json.decode(capsys.readouterr().out)
    assert (row["name"], row["goal"], row["started"], row["ended"]) == (
        "diverse", "clicks_per_view", BEGAN, 0,
    )  # fmt: skip
    now, new = row["variants"]
    assert (now["users"], new["clicks"], new["since"]) == (1000.0, 1500.0, NOW)
    assert new["lifts"]["clicks_per_view"]["lift"] == pytest.approx(0.5) and now["lifts"] == {}


def test_what_an_older_job_told_is_shown_too(
    redis_url: str, redis_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    told = fields(sums("now", 1.0) | sums("new", 1.0), [ONE], {})
    redis_client.hset("stats", mapping=told)
    assert report(load(None, [f"redis.url={redis_url}"], {}), "diverse", False) == 0
    assert capsys.readouterr().out.startswith("diverse: by clicks per view\n")
