"""What a video platform and a social network say of their items, where pages are tested; and their
pages, opened.

In: a moment in ms. Out: what is said of each item, as under `item:<id>` in Redis. Ids and
categories are as `pretend.Job` has them: items are alike whose numbers leave the same rest by
`KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.flink_app.serve.pretend import ITEMS

KINDS = 12
HOUR_MS = 3_600_000
EVIL = "<img src=x onerror=window.hit=1>\"'\\"
"""A text that does harm wherever it is taken for HTML, for an attribute or for an expression."""


def videos(now_ms: int) -> dict[str, dict[str, Any]]:
    """Videos: those of the first two genres are episodes of one series each, in order."""
    return {f"i{number}": _video(number, now_ms) for number in range(ITEMS)}


def _video(number: int, now_ms: int) -> dict[str, Any]:
    kind, episode = number % KINDS, number // KINDS + 1
    series = {"series": f"Series {kind}", "episode": episode} if kind < 2 else {}
    return {
        "title": f"Video {number}", "categories": [f"genre {kind}"],
        "tags": [f"tag{kind}", "quiet"],
        "published": now_ms - (number + 10) * 24 * HOUR_MS,
        "attributes": {"duration_s": 600 + 60 * number, **series},
    }  # fmt: skip


def posts(now_ms: int) -> dict[str, dict[str, Any]]:
    """Posts: those of a topic are by one author; the first two are gone in 5 minutes."""
    return {f"i{number}": _post(number, now_ms) for number in range(ITEMS)}


def _post(number: int, now_ms: int) -> dict[str, Any]:
    kind = number % KINDS
    return {
        "title": f"Post {number} about …", "text": f"Post {number} about topic {kind}, at length.",
        "categories": [f"topic {kind}"], "tags": [f"tag{kind}"], "provider": f"u{kind}",
        "published": now_ms - (number % 5 + 1) * HOUR_MS // 2,
        "attributes": {"author": f"Author {kind}"},
        "expires": now_ms + HOUR_MS // 12 if number < 2 else now_ms + 5 * HOUR_MS,
    }  # fmt: skip


@contextmanager
def opened(
    browser: Browser, url: str, user: str, but: str = "nothing", **more: Any
) -> Iterator[Page]:
    """The page as a user sees it, once there is a list; it must not write errors to the console.

    but: what errors may be about.
    """
    with browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **more}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(f"{url}?user={user}")
        page.locator("#list .card").first.wait_for()
        yield page
        assert [text for text in wrong if but not in text] == []


def followed(page: Page, told: str) -> None:
    """Wait until the page says what was done, and that the list has followed."""
    expect(page.locator("#said")).to_contain_text(f"{told}. The list followed after")


_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? []
  : [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth && !one.closest('.shelf, svg'))
    .map(one => `${one.tagName} #${one.id} .${one.getAttribute('class')}`)"""


def too_wide(page: Page) -> list[str]:
    """The elements that make the page wider than the window."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found
