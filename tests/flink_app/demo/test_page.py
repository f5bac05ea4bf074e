"""The live page next to the demo, with the whole job, in a real Chromium."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from flink_app.demo.page import page
from flink_app.demo.world import demo_settings
from tests.flink_app.serve.browsers import chromium

ROOT = Path(__file__).resolve().parents[3]


def test_the_next_free_port_is_taken_and_events_are_counted(redis_url: str, tmp_path: Path) -> None:
    settings = demo_settings(redis_url, "demo:", tmp_path, ())
    with page(settings, redis_url, 28_080) as first:
        assert first is not None and first.wait()
        with page(settings, redis_url, 28_080) as second:
            assert second is not None and second.wait()
            assert first.url != second.url
        event = {"user": "ann", "item": "i1", "type": "click"}
        assert httpx.post(f"{first.url}/events", json=event).json()["accepted"] == 1
        assert first.accepted == 1
        assert len(list((tmp_path / "inbox").iterdir())) == 1
    assert first.accepted == 0  # it has ended


def logs_in_and_is_forgotten(visit: Page) -> None:
    """The visitor ann, with three clicks, turns out to be mary, who is new in the shop."""
    visit.locator("#account").fill("mary")
    visit.locator("#account").press("Enter")
    expect(visit.locator("#user")).to_have_value("mary")
    expect(visit.locator("#who")).to_contain_text("A list of your own")
    visit.locator("#know").click()
    expect(visit.locator("#in-words")).to_contain_text("ann, mary")
    visit.locator("#known button").click()
    visit.locator("#forget").click()
    visit.locator("#sure [value=yes]").click()
    expect(visit.locator("#said")).to_contain_text("mary is forgotten.")
    expect(visit.locator("#who")).to_contain_text("New here")
    visit.locator("#know").click()
    expect(visit.locator("#in-words")).to_contain_text("none")
    expect(visit.locator("#in-words")).not_to_contain_text("ann")
    visit.locator("#known button").click()


@pytest.mark.job
def test_a_click_on_the_page_moves_the_list(tmp_path: Path) -> None:
    given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    process = subprocess.Popen(
        [sys.executable, "-m", "flink_app", "demo"],
        env=given | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "DEMO_SECONDS": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:  # until lists follow clicks in the terminal
            if found := re.search(r"Live page: (http\S+)", line):
                url = found[1]
            if "the list follows after" in line:
                break
        assert url
        with chromium() as browser:
            visit = browser.new_page(viewport={"width": 1280, "height": 860})
            visit.set_default_timeout(120_000)
            expect.set_options(timeout=120_000)
            visit.goto(f"{url}?user=ann")
            for place in (3, 1, 4):
                visit.locator("#list .card button").nth(place).wait_for()
                title = visit.locator("#list .title").nth(place).inner_text()
                visit.locator("#list .card button").nth(place).click()
                expect(visit.locator("#said")).to_contain_text(f"You clicked {title}. The list")
                expect(visit.locator("#list .title").get_by_text(title, exact=True)).to_have_count(
                    0
                )
            expect(visit.locator("#who")).to_contain_text("A list of your own")
            assert 0 < int(visit.locator("#ms").inner_text()) < 20_000
            reasons = visit.locator("#list .why").all_inner_texts()
            assert len(reasons) == 12 and all(reasons)
            visit.locator("#shelves .card").first.wait_for()
            logs_in_and_is_forgotten(visit)
            visit.locator("#tab-operator").click()
            figure = visit.locator(".tile dd").first
            expect(figure).not_to_have_text("–")
            expect(visit.locator("#clicks .told").first).to_contain_text("durable after")
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "in progress" not in output
    assert " 0 dead letters" in output
