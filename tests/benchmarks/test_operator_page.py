"""The benchmark of the operators' view reads from the page what the server says."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from benchmarks.operator_page import figures, operator_view
from benchmarks.start import page_of
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving


def test_figures_are_read_from_the_page(redis_url: str, tmp_path: Path) -> None:
    inbox, picture = tmp_path / "inbox", tmp_path / "page.png"
    inbox.mkdir()
    said = {"freshness_p50_ms": 38.4, "freshness_p99_ms": 1204.0, "quality:served:recall@10": 0.125}
    with (
        Job(redis_url, inbox),
        serving(redis_url, "source.kind=directory", f"source.paths={inbox}") as client,
        operator_view(str(client.base_url)) as page,
    ):
        page.route("**/stats", lambda route: route.fulfill(json=said))
        expect(page.locator(".tile").nth(1)).to_contain_text("1,204 ms")
        found = figures(page, picture)
    assert found == {
        "Freshness: half within": 38.0,
        "Freshness: 99 of 100 within": 1204.0,
        "Recall@10: served": 12.5,
    }
    assert picture.stat().st_size > 10_000


def test_the_address_is_that_of_the_demos_output() -> None:
    assert page_of("  Live page: http://127.0.0.1:8081  (Ctrl-C ends)\n") == "http://127.0.0.1:8081"
    assert page_of("Starting Java") == ""
