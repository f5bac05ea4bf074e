"""The cart of the live page in a real Chromium: what is put into it, bought, and sold out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from tests.flink_app.serve.platforms import EVIL, followed, opened, too_wide
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving


@pytest.fixture
def job(redis_url: str, tmp_path: Path) -> Iterator[Job]:
    with Job(redis_url, tmp_path) as job:
        yield job


@pytest.fixture
def site(job: Job, redis_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(redis_url, "source.kind=directory", f"source.paths={tmp_path}") as client:
        yield client


@pytest.fixture
def page(browser: Browser, site: httpx.Client) -> Iterator[Page]:
    with opened(browser, str(site.base_url), "ann") as page:
        yield page


def title_of(page: Page, item: str) -> str:
    return page.locator(f'#list [data-item="{item}"] .title').inner_text()


def put(page: Page, item: str) -> str:
    """Click an item and put it into the cart; its title."""
    title = title_of(page, item)
    page.locator(f'#list [data-item="{item}"] button').click()
    followed(page, f"You clicked {title}")
    page.locator("[data-does=add]").click()
    followed(page, f"You put {title} into your cart")
    return title


def sent(job: Job) -> list[tuple[Any, ...]]:
    return [(line["user"], line["item"], line["type"]) for line in job.heard if "item" in line]


def test_what_is_put_into_the_cart_is_bought(page: Page, job: Job) -> None:
    expect(page.locator("#bar")).to_be_hidden()
    mug, kettle = put(page, "i5"), put(page, "i0")
    expect(page.locator("[data-does=add]")).to_be_disabled()
    page.locator("#cart summary").click()
    expect(page.locator("#cart .name")).to_have_text([mug, kettle])
    expect(page.locator("[data-does=buy]")).to_contain_text("Buy for €")
    page.locator("[data-does=buy]").click()
    followed(page, f"You bought {mug} and 1 more")
    expect(page.locator("#cart summary")).to_have_text("Cart: no items")
    taken = [("ann", item, kind) for item in ("i5", "i0") for kind in ("click", "cart")]
    assert sent(job)[:4] == taken
    assert sorted(sent(job)[4:]) == [("ann", item, "purchase") for item in ("i0", "i5")]
    assert job.heard[1]["rec"]


def test_the_cart_is_kept_for_each_visitor_and_goes_with_them(page: Page) -> None:
    title = put(page, "i5")
    page.reload()
    expect(page.locator("#cart summary")).to_have_text("Cart: 1 item")
    page.locator("#user").fill("bob")
    page.locator("#user").press("Enter")
    expect(page.locator("#bar")).to_be_hidden()
    page.locator("#user").fill("ann")
    page.locator("#user").press("Enter")
    page.locator("#cart summary").click()
    page.get_by_role("button", name=f"Take {title} out").click()
    expect(page.locator("#bar")).to_be_hidden()


def test_what_is_forgotten_has_no_cart(page: Page) -> None:
    put(page, "i5")
    page.locator("#forget").click()
    page.locator("#sure [value=yes]").click()
    expect(page.locator("#said")).to_contain_text("ann is forgotten.")
    expect(page.locator("#bar")).to_be_hidden()
    assert page.evaluate("Object.keys(sessionStorage)") == ["millirec-user"]


def test_what_is_sold_out_says_so_and_is_not_bought(
    page: Page, job: Job, redis_client: redis.Redis
) -> None:
    gone, there = put(page, "i5"), put(page, "i0")
    value: Any = redis_client.get("item:i5")
    redis_client.set(
        "item:i5", msgspec.json.encode(msgspec.json.decode(value) | {"available": False})
    )
    page.locator("#list .card button").first.click()  # the shelves look again
    expect(page.locator("#cart .gone")).to_have_text("sold out")
    page.locator("#cart summary").click()
    page.locator("[data-does=buy]").click()
    followed(page, f"You bought {there}")
    expect(page.locator("#cart .name")).to_have_text([gone])
    expect(page.locator("[data-does=buy]")).to_be_disabled()
    assert ("ann", "i5", "purchase") not in sent(job)


def test_a_purchase_that_does_not_arrive_stays_in_the_cart(
    browser: Browser, site: httpx.Client
) -> None:
    refused: dict[str, Any] = {"status": 503, "json": {"detail": "The events may be lost."}}
    with opened(browser, str(site.base_url), "ann", "503") as page:
        title = put(page, "i5")
        page.route("**/events", lambda route: route.fulfill(**refused))
        page.locator("#cart summary").click()
        page.locator("[data-does=buy]").click()
        expect(page.locator("#problem")).to_contain_text("The events may be lost.")
        expect(page.locator("#cart .name")).to_have_text([title])


def test_the_bar_shows_hostile_items_as_text_and_fits_a_phone(
    browser: Browser, site: httpx.Client, redis_client: redis.Redis
) -> None:
    told = {"title": EVIL * 9, "category": EVIL, "price": 1e300, "currency": EVIL}
    redis_client.set("item:i0", msgspec.json.encode(told))
    size = {"width": 360, "height": 740}
    with opened(browser, str(site.base_url), "eve", "404", viewport=size, has_touch=True) as page:
        page.locator('#list [data-item="i0"] button').tap()
        page.locator("[data-does=add]").tap()
        page.locator("#cart summary").tap()
        expect(page.locator("#cart .name")).to_have_text(EVIL * 9)
        assert too_wide(page) == []
        page.locator("#cart summary").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.does") == "out i0"
        page.keyboard.press("Enter")
        expect(page.locator("#cart summary")).to_have_text("Cart: no items")
        assert page.evaluate("window.hit") is None
