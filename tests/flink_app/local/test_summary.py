"""The summary accounts for every line and says where to look."""

from __future__ import annotations

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.console.totals import Totals
from flink_app.local import summary

COUNTS = st.integers(0, 10**9)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 5))
def test_all_is_accounted_for_exactly_when_the_sum_is_right(
    learned: int, duplicates: int, ignored: int, dead: int, missing: int
) -> None:
    totals = Totals(
        received=learned + duplicates + ignored + dead + missing,
        learned=learned,
        duplicates=duplicates,
        ignored=ignored,
        dead={"json": dead},
    )
    last = summary.account(totals, stopped=False)[-1]
    assert (last == "accounted for: all") == (missing == 0)
    if missing:
        assert last.startswith(f"NOT accounted for: {missing} lines")


def test_dead_letters_are_named_by_reason() -> None:
    lines = summary.account(Totals(received=1500, dead={"user": 500, "json": 1000}), False)
    assert "  1,500 dead letters  json 1,000, user 500" in lines


def test_a_stopped_run_says_what_was_under_way() -> None:
    lines = summary.account(Totals(received=3, learned=1), stopped=True)
    assert lines[-1] == "accounted for: all but 2, which were in progress"


def test_a_restored_run_claims_no_rate() -> None:
    totals = Totals(received=100, lists=2, users=1, items=1)
    assert "50 lines/s" in summary.speed(totals, 2.0, restored=False)[0]
    assert "lines/s" not in summary.speed(totals, 2.0, restored=True)[0]


def test_dead_letters_are_found() -> None:
    refused = Totals(dead={"json": 1})
    for settings, words in (
        (["dead_letters.path=bad"], "folder bad"),
        (["dead_letters.kind=kafka", "dead_letters.topic=dlq"], "topic dlq"),
        (["dead_letters.kind=none"], "only counted"),
    ):
        config = load(None, settings, {}).config
        assert words in summary.dead_letters(refused, config)[0]
        assert summary.dead_letters(Totals(), config) == []
    config = load(None, ["dead_letters.path=bad"], {}).config
    told = ["the dead letters that could be written are in the folder bad", "a disk is full"]
    assert summary.dead_letters(refused, config, told[1:]) == told


def test_an_embedded_redis_says_where_its_lists_are(tmp_path: Path) -> None:
    config, dump = load(None, [], {}).config, tmp_path / "dump.rdb"
    dump.write_bytes(b"x" * 12_000)
    lines = summary.kept(config, "o'neil", dump, "")
    assert lines[0].startswith("the lists are kept in .millirec/redis (12 kB) until the next run")
    assert """  millirec get 'o'"'"'neil'""" in lines and "  millirec serve" in lines
    elsewhere = load(None, ["redis.keep=lists", "redis.prefix=a:"], {}).config
    command = summary.kept(elsewhere, None, dump, "")[-2]
    words = shlex.split(command)
    found = load(None, words[words.index("--set") + 1 :: 2], {}).config
    assert found == elsewhere, "the command finds these lists"
    for where, why in ((None, ""), (dump, "the disk is full")):
        lines = summary.kept(config, "ann", where, why)
        assert "ends with the run" in lines[0] and why in lines[0]
        assert "REDIS_URL=" in lines[-1]


def test_commands_survive_the_shell() -> None:
    config = load(None, ["redis.prefix=my shop:"], {}).config
    lines = summary.commands(config, "o'neil", "redis://cache:6379/0")
    assert """  millirec get 'o'"'"'neil' --set 'redis.prefix=my shop:'""" in lines
    assert "  redis-cli -u redis://cache:6379/0 get 'my shop:popular'" in lines
