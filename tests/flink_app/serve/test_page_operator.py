"""What operators see on the live page: figures, outcomes, experiments and the last evaluation, in a
real headless Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from flink_app.evaluate.rates import Drift, Rate, Segment
from flink_app.evaluate.said import said
from flink_app.report.closer import closer_sections
from tests.flink_app.evaluate.test_said import looked
from tests.flink_app.serve.browsers import opened
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving
from tests.flink_app.serve.test_evaluation import result, write
from tests.udfs.experiments.test_results import TWO, sums
from udfs.experiments import results, standing
from udfs.experiments.words import Known

EVIL = "<img src=x onerror=window.hit=1>"


@pytest.fixture
def page(browser: Browser, redis_url: str, tmp_path: Path) -> Iterator[Page]:
    """The page, beside something that stands for the job."""
    where = "source.kind=directory", f"source.paths={tmp_path}"
    told = f"serve.evaluation={tmp_path / 'evaluation.json'}"
    with (
        Job(redis_url, tmp_path),
        serving(redis_url, *where, told) as site,
        opened(browser, f"{site.base_url}?user=ann") as page,
    ):
        page.locator("#list .card").first.wait_for()
        yield page


def test_operators_see_figures_and_their_clicks(page: Page) -> None:
    page.locator("#list .card button").first.click()
    expect(page.locator("#said")).to_contain_text("The list followed after")
    page.locator("#tab-operator").click()
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(8)
    expect(tiles.nth(2)).to_contain_text("Recall@10")
    expect(tiles.nth(2).locator("dd").nth(1)).to_have_text("12.0 %")
    expect(tiles.nth(0).locator("dd").first).not_to_have_text("–")
    expect(page.locator("#letters")).to_contain_text("not json")
    expect(page.locator("#clicks .told").first).to_contain_text("drawn after")
    names = [f"place {place}" for place in (1, 2, 10)]
    expect(page.locator("#outcomes .name")).to_have_text(
        [*names, "item-cf", "gender:F", "age_band:56+"]
    )
    expect(page.locator("#outcomes .told").nth(4)).to_contain_text("served worse than average")
    expect(page.locator("#outcomes .told").nth(5)).to_contain_text("too few views to compare")
    expect(page.locator("#outcomes .value").nth(1)).to_have_text("10 %")
    expect(page.locator("#outcomes .told").nth(1)).to_contain_text("95 %: 7.43 % to 13.3 %")
    page.locator("#operator > details > summary").click()
    expect(page.locator("#table")).to_contain_text("events_per_s")


def test_operators_see_what_is_known_of_experiments(page: Page, redis_client: redis.Redis) -> None:
    page.locator("#tab-operator").click()
    page.locator(".tile").first.wait_for()
    expect(page.locator("#trials")).to_be_hidden()
    clear = sums(2, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.2})
    both = replace(TWO, interleave=True)
    stats = results.fields(clear, [TWO], {"e:b": 1_700_000_000_000})
    stats |= standing.fields([Known(both, 5, 1_700_000_000_000)], {})
    redis_client.hset("stats", mapping=stats)
    shown = page.locator("#experiments")
    expect(shown.locator("tbody th")).to_have_text(["a", "b"])
    expect(shown.locator("tbody tr").nth(1).locator("td").first).to_have_text("900")
    expect(shown.locator(".note").first).to_have_text(
        re.compile("By clicks per view, compared with a, both in each list. Ended 14 November 2023")
    )
    expect(shown.locator(".row .name")).to_have_text(["b"])
    expect(shown.locator(".row .value")).to_contain_text("+")
    expect(shown.locator(".row .told")).to_contain_text("Better, decided since 14 November 2023")
    expect(shown.locator(".span.decided")).to_have_count(1)
    expect(shown.locator(".alarm")).to_have_count(0)
    uneven = sums(4, {"a": 1400, "b": 20}, {"a": 0.1, "b": 0.1})
    redis_client.hdel("stats", *stats)
    told = results.fields(uneven, [TWO], {"e:mismatch": 1_700_000_000_000})
    evil = {f"experiment:{EVIL}:{EVIL}:users": "3", "experiment:e:b:clicks:low": "nan"}
    redis_client.hset("stats", mapping=told | evil)
    expect(shown.locator(".alarm")).to_contain_text("1,400 in a, 20 in b")
    expect(shown.locator("article")).to_have_count(2)
    expect(shown.locator("h3").first).to_have_text(EVIL)
    expect(shown.locator(".row .value").last).to_have_text("–")
    expect(shown.locator(".row .told").last).to_contain_text("Each variant needs 50 users")


def test_operators_see_what_the_last_evaluation_found(page: Page, tmp_path: Path) -> None:
    def again() -> None:
        page.locator("#tab-front").click()
        page.locator("#tab-operator").click()

    again()
    told, found = page.locator("#evaluated"), page.locator(".finding")
    expect(told).to_contain_text("No evaluation is shown.")
    expect(found).to_have_count(0)
    rates = [Rate(at, at - 0.05, at + 0.05) for at in (0.2, 0.3)]
    of = {"field": "gender", "users": 90, "tests": 900, "ndcg": rates[0]}
    groups = [
        Segment(name=name, recall=recall, verdict=verdict, **of)
        for name, recall, verdict in ((EVIL, rates[0], "worse"), ("x" * 300, rates[1], ""))
    ]
    drift = Drift(events=[10, 20], recall=rates, change=Rate(0.1, 0.0, 0.2))
    closer = looked(segments=groups, drift=drift)
    write(tmp_path / "evaluation.json", result(closer=closer))
    again()
    expect(told).to_contain_text("From an evaluation of 1,234 events, written")
    sections = closer_sections(closer)
    expect(found.locator("h3")).to_have_text([part.title for part in sections])
    expect(found.first.locator("li")).to_have_text(said(closer))
    expect(page.locator(".plot")).to_have_count(sum(part.figure is not None for part in sections))
    curves = found.filter(has=page.get_by_text("Accuracy against coverage", exact=True))
    expect(curves.locator(".names span")).to_have_text(["diversity", "debias"])
    expect(curves.locator("path.drawn")).to_have_count(2)
    spans = found.filter(has=page.get_by_text("Who is served how well, by gender", exact=True))
    expect(spans.locator("svg title")).to_have_text([EVIL, "x" * 300])
    expect(spans.locator(".reach.c1")).to_have_count(1)
    spans.locator("summary").click()
    expect(spans.locator("tbody th").first).to_have_text(EVIL)
    expect(spans.locator("tbody td").nth(3)).to_have_text("worse")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("window.hit") is None
    (tmp_path / "evaluation.json").write_text("{}")
    again()
    expect(told).to_contain_text("evaluation.json does not hold results of an evaluation")
    expect(found).to_have_count(0)
