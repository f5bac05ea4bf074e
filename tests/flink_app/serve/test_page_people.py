"""The visitor of the live page logs in, asks what is known and is forgotten, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.flink_app.serve.browsers import opened
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving


@pytest.fixture
def site(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A server, and something that stands for the job."""
    several = getattr(request, "param", "true")
    where = "source.kind=directory", f"source.paths={tmp_path}", f"identity.enabled={several}"
    with Job(redis_url, tmp_path), serving(redis_url, *where) as client:
        yield client


@pytest.fixture
def page(browser: Browser, site: httpx.Client) -> Iterator[Page]:
    """The page after a click of the visitor ann on i3."""
    with opened(browser, f"{site.base_url}?user=ann", refused=True) as page:
        page.locator('#list [data-item="i3"] button').click()
        expect(page.locator("#said")).to_contain_text("The list followed after")
        yield page


def test_a_visitor_who_logs_in_keeps_what_was_clicked(page: Page) -> None:
    page.locator("#account").fill("u17")
    page.locator("#account").press("Enter")
    expect(page.locator("#said")).to_contain_text("You are logged in as u17. What ann did")
    expect(page.locator("#user")).to_have_value("u17")
    expect(page.locator("#who")).to_contain_text("A list of your own")
    expect(page.locator('#list [data-item="i3"]')).to_have_count(0)
    expect(page.locator("#list .why").first).to_contain_text("because you looked at")
    page.locator("#know").click()
    expect(page.locator("#in-words")).to_contain_text("ann, u17")


@pytest.mark.parametrize("site", ["false"], indirect=True)
def test_where_ids_are_not_linked_the_page_says_so(page: Page) -> None:
    page.locator("#account").fill("u17")
    page.locator("#account").press("Enter")
    expect(page.locator("#problem")).to_contain_text("identity.enabled")
    expect(page.locator("#user")).to_have_value("ann")


def test_what_is_known_is_told_in_words_and_as_json(page: Page) -> None:
    title = page.locator("#said").inner_text().removeprefix("You clicked ").partition(".")[0]
    page.locator("#know").click()
    expect(page.locator("#known")).to_be_visible()
    expect(page.locator("#known-of")).to_have_text("What is known of ann")
    expect(page.locator("#in-words")).to_contain_text(title)
    page.locator("#known summary").click()
    expect(page.locator("#raw")).to_contain_text('"history"')
    page.keyboard.press("Escape")
    expect(page.locator("#known")).to_be_hidden()


def test_a_visitor_is_forgotten_who_is_sure_and_no_other(page: Page) -> None:
    page.locator("#forget").click()
    page.locator("#sure .keep").click()
    expect(page.locator("#who")).to_contain_text("A list of your own")
    page.locator("#forget").click()
    page.keyboard.press("Escape")
    expect(page.locator("#who")).to_contain_text("A list of your own")
    page.locator("#forget").click()
    page.locator("#sure [value=yes]").click()
    expect(page.locator("#said")).to_contain_text("ann is forgotten.")
    expect(page.locator("#said")).to_contain_text("2031")
    expect(page.locator("#who")).to_contain_text("New here")
    expect(page.locator('#list [data-item="i3"]')).to_have_count(1)
    page.locator("#know").click()
    expect(page.locator("#in-words")).to_contain_text("none")
    expect(page.locator("#in-words")).not_to_contain_text("History")


def test_escape_after_a_wish_that_failed_does_not_say_it_again(page: Page) -> None:
    """Some browsers keep a dialog's last word when Escape closes it, as `close()` does."""
    wishes: list[str] = []
    problem: dict[str, Any] = {"status": 503, "json": {"detail": "Redis is away."}}

    def refuse(route: Route) -> None:
        wishes.append(route.request.method)
        route.fulfill(**problem)

    page.route("**/users/ann", refuse)
    page.locator("#forget").click()
    page.locator("#sure [value=yes]").click()
    expect(page.locator("#problem")).to_contain_text("Redis is away.")
    page.locator("#forget").click()
    expect(page.locator("#sure")).to_be_visible()
    page.evaluate("document.getElementById('sure').close()")
    expect(page.locator("#sure")).to_be_hidden()
    page.locator("#know").click()  # what has been asked before this has arrived
    expect(page.locator("#known-of")).to_have_text("What is known of ann")
    assert wishes == ["DELETE"]
