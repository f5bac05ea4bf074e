"""The live page in a real headless Chromium: a click, the list that follows, its reasons, the
milliseconds; by keyboard, on a phone, in the dark, with hostile ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from flink_app.local.ports import free_port
from flink_app.simulator.shop.drawings import SIZE, data_url, drawing
from tests.flink_app.serve.browsers import opened
from tests.flink_app.serve.pretend import ITEMS, OLD, Job
from tests.flink_app.serve.servers import serving

EVIL = "<img src=x onerror=window.hit=1>"


@pytest.fixture
def site(redis_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A server with the page, and something that stands for the job."""
    with (
        Job(redis_url, tmp_path),
        serving(redis_url, "source.kind=directory", f"source.paths={tmp_path}") as client,
    ):
        yield client


@pytest.fixture
def page(browser: Browser, site: httpx.Client) -> Iterator[Page]:
    with opened(browser, f"{site.base_url}?user=ann") as page:
        page.locator("#list .card").first.wait_for()
        yield page


def shown(page: Page) -> list[str]:
    """The items of the list, as they stand on the page."""
    found: list[str] = page.eval_on_selector_all(
        "#list .card", "all => all.map(c => c.dataset.item)"
    )
    return found


def choose(page: Page, item: str) -> None:
    """Click an item of the list and wait for the list that follows."""
    before = page.locator("#said").inner_text()
    page.locator(f'#list [data-item="{item}"] button').click()
    expect(page.locator("#said")).not_to_have_text(before)
    expect(page.locator("#said")).to_contain_text("The list followed after")


def test_a_click_is_followed_by_the_list_its_reason_and_the_time(
    page: Page, redis_client: redis.Redis
) -> None:
    expect(page.locator("#who")).to_contain_text("New here")
    assert page.locator("#list .why").first.inner_text() == "popular now"
    clicked = shown(page)[5]
    title = page.locator(f'[data-item="{clicked}"] .title').first.inner_text()
    choose(page, clicked)
    value: Any = redis_client.get("rec:ann")
    listed = msgspec.json.decode(value)["items"]
    assert shown(page) == [entry["item"] for entry in listed[:12]]
    assert clicked not in shown(page)
    assert page.locator("#list .why").first.inner_text() == f"because you looked at {title}"
    assert int(page.locator("#ms").inner_text()) >= 0
    expect(page.locator("#said")).to_contain_text(f"You clicked {title}.")
    expect(page.locator("#list .move.in").first).to_have_text("+")
    expect(page.locator("#shelves h2").first).to_have_text(f"Similar to {title}")
    assert page.locator("#shelves .why").first.inner_text() == f"similar to {title}"
    ask_why(page, title)


def ask_why(page: Page, clicked: str) -> None:
    """Ask why an item is in the list, want less like it, and read reasons in another language."""
    item, name = shown(page)[1], page.locator("#list .title").nth(1).inner_text()
    link = page.get_by_role("link", name=f"Why {name}?")
    assert str(link.get_attribute("href")).endswith(f"/why/ann/{item}")
    link.click()
    expect(page.locator("#why-of")).to_have_text(name)
    assert page.locator("#because li").all_inner_texts() == [
        f"{name} is at place 2 of 20 in the list",
        f"because you looked at {clicked}",
        f"without what you did with {clicked}, it would not be in the list",
    ]
    expect(page.locator("#adds td")).to_have_text(["item-cf", "+1.50"])
    expect(page.locator("#without td")).to_have_text([clicked, "not in it"])
    page.get_by_role("button", name="Less like this").click()
    expect(page.locator("#said")).to_contain_text(f"You want less like {name}. The list followed")
    assert item not in shown(page)
    page.goto(f"{page.url.partition('?')[0]}?user=ann&words=de")
    expect(page.locator("#list .why").first).to_contain_text("weil du dir")


def test_items_have_prices_and_those_of_this_week_a_badge(page: Page) -> None:
    choose(page, "i11")  # its category holds one of the new items
    price = page.locator("#list .price").first.inner_text()
    assert re.fullmatch(r"€\d+\.\d\d", price)
    new = page.locator("#list .card").filter(has=page.locator(".badge", has_text="new"))
    expect(new).to_have_count(1)
    assert new.get_attribute("data-item") in {f"i{number}" for number in range(OLD, ITEMS)}


def test_the_list_follows_the_words_of_a_search(page: Page, site: httpx.Client) -> None:
    told = site.get("/items?id=i77").json()["items"]["i77"]
    words = " ".join(told["tags"][:2])
    page.locator("#query").fill(words)
    page.locator("#query").press("Enter")
    expect(page.locator("#said")).to_contain_text(
        f"You searched for “{words}”. The list followed after"
    )
    assert shown(page)[0] == "i77"
    assert page.locator("#list .why").first.inner_text() == f"fits “{words}”"
    choose(page, shown(page)[3])  # and clicks go on from there
    expect(page.locator('#list [data-item="i77"]')).to_have_count(1)


def test_a_picture_of_the_shop_is_shown_and_none_from_elsewhere(
    browser: Browser, site: httpx.Client, redis_client: redis.Redis
) -> None:
    own = data_url(drawing(3, 4, 5))
    for item, url in (("i0", own), ("i1", "https://example.org/i1.png")):
        told = {"title": item, "image": url}
        redis_client.set(f"item:{item}", msgspec.json.encode(told))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.base_url}?user=ann")
        picture = page.locator('#list [data-item="i0"] img')
        expect(picture).to_have_attribute("src", own)
        assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == SIZE
        expect(page.locator('#list [data-item="i1"] svg')).to_have_count(1)


def write_similar(redis_client: redis.Redis, item: str, other: str) -> None:
    """The job's list of what is similar to an item: one other."""
    entries = [{"item": other, "score": 0.5, "why": {"model": "item-cf"}}]
    head = {"item": item, "id": "x-1", "at": 1, "v": 1, "source": "item-cf", "items": entries}
    redis_client.set(f"similar:{item}", msgspec.json.encode(head))


def test_reasons_name_which_of_the_last_clicks_an_item_is_similar_to(
    page: Page, redis_client: redis.Redis
) -> None:
    first, other = shown(page)[5], shown(page)[1]
    write_similar(redis_client, first, other)
    title = page.locator(f'[data-item="{first}"] .title').first.inner_text()
    why = page.locator(f'#list [data-item="{other}"] .why')
    choose(page, first)
    for _ in range(2):
        expect(why).to_have_text(f"popular now, similar to {title}")
        choose(page, shown(page)[2])


def test_an_acknowledgement_says_nothing_to_the_next_visitor(
    page: Page, redis_client: redis.Redis
) -> None:
    one, bobs, other, anns = shown(page)[:4]
    write_similar(redis_client, anns, one)
    write_similar(redis_client, bobs, other)
    held: list[Route] = []
    page.route("**/events", lambda route: held.append(route), times=1)
    with page.expect_request("**/events"):
        page.locator(f'#list [data-item="{anns}"] button').click()
    page.locator("#user").fill("bob")
    page.locator("#user").press("Enter")
    expect(page.locator("#who")).to_contain_text("New here")
    held[0].fulfill(json={"accepted": 1, "rejected": []})
    choose(page, bobs)
    title = page.locator("#said").inner_text().removeprefix("You clicked ").partition(".")[0]
    expect(page.locator(f'#list [data-item="{other}"] .why')).to_have_text(
        f"popular now, similar to {title}"
    )
    expect(page.locator(f'#list [data-item="{one}"] .why')).to_have_text("popular now")


def test_another_tab_of_the_same_visitor_follows_too(page: Page, site: httpx.Client) -> None:
    before = shown(page)
    site.post("/events", json={"user": "ann", "item": before[0], "type": "click"})
    expect(page.locator(f'#list [data-item="{before[0]}"]')).to_have_count(0)


def test_it_is_used_by_keyboard_and_says_what_happens(page: Page) -> None:
    card = page.locator("#list .card button").nth(2)
    card.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("The list followed after")
    assert page.locator("#said").get_attribute("aria-live") == "polite"
    assert page.evaluate("document.activeElement.closest('#list .card') !== null")
    page.locator("#tab-front").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#operator")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "tab-operator"
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#front")).to_be_visible()


def test_nothing_comes_from_elsewhere(browser: Browser, site: httpx.Client) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        answer = page.goto(str(site.base_url))
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        page.locator("#shelves .card").first.wait_for()
        page.locator("#tab-operator").click()
        page.locator(".tile").first.wait_for()
        assert len(asked) > 10
        assert all(url.startswith(str(site.base_url)) for url in asked)


def test_a_click_that_is_acknowledged_after_its_list_says_when(page: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/events", lambda route: held.append((route, route.fetch())))
    choose(page, shown(page)[0])
    page.locator("#tab-operator").click()
    told = page.locator("#clicks .told")
    expect(told).to_contain_text("drawn after")
    expect(told).not_to_contain_text("durable")
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(told).to_contain_text(re.compile(r"drawn after \d+ ms, durable after \d+ ms"))
    # The figure is that of the list, and the bar has room for all that is told.
    ms = page.locator("#ms").inner_text()
    expect(page.locator("#clicks .value")).to_have_text(f"{ms} ms")
    ends = "bar => [...bar.children].map(part => part.x.baseVal.value + part.width.baseVal.value)"
    assert max(page.locator("#clicks .bar").evaluate(ends)) <= 300.5


@pytest.mark.parametrize("view", ["front", "operator"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    browser: Browser, site: httpx.Client, view: str
) -> None:
    with browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True) as context:
        page = context.new_page()
        page.goto(f"{site.base_url}?user=ann#{view}")
        page.locator(".tile" if view == "operator" else "#shelves .card").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        if view == "front":
            page.locator("#list .card button").first.tap()
            expect(page.locator("#said")).to_contain_text("The list followed after")


def test_dark_and_light_and_without_motion(browser: Browser, site: httpx.Client) -> None:
    def paper(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    with browser.new_context(color_scheme="dark", reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"{site.base_url}?user=ann")
        page.locator("#list .card").first.wait_for()
        dark = paper(page)
        page.locator("#theme").click()
        expect(page.locator("#theme")).to_have_text("Light")
        assert paper(page) != dark
        page.locator("#theme").click()
        assert paper(page) == dark
        page.evaluate("() => { Element.prototype.animate = () => { window.animated = true } }")
        choose(page, shown(page)[3])
        assert page.evaluate("window.animated") is None


def test_ids_and_titles_are_text_whatever_they_hold(
    browser: Browser, site: httpx.Client, redis_client: redis.Redis
) -> None:
    items = [EVIL, "a/b?c#d", "\u202eabc", "javascript:window.hit=1", "x" * 300, "مرحبا", "\n"]
    redis_client.set("item:a/b?c#d", msgspec.json.encode({"title": EVIL, "category": EVIL}))
    redis_client.set("item:مرحبا", msgspec.json.encode({"title": 7, "category": ["x"]}))
    why = {"model": "item-cf", "because": [EVIL]}
    entries = [{"item": item, "score": 1, "why": why} for item in items]
    value = {"user": EVIL, "id": "1-0", "at": 1, "v": 1, "source": "ranker", "items": entries}
    redis_client.set(f"rec:{EVIL}", msgspec.json.encode(value))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(str(site.base_url))
        page.locator("#user").fill(EVIL)
        page.locator("#user").press("Enter")
        expect(page.locator("#list .card")).to_have_count(len(items))
        assert shown(page) == items
        assert page.locator("#list .why").first.text_content() == f"because you looked at {EVIL}"
        assert page.locator("#list .title").nth(1).text_content() == EVIL
        page.locator("#list .card button").first.click()
        expect(page.locator("#said")).to_contain_text(f"You clicked {EVIL}")
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_key_is_asked_for_once(browser: Browser, redis_url: str, tmp_path: Path) -> None:
    where = "source.kind=directory", f"source.paths={tmp_path}", "serve.api_key=s3cret"
    with Job(redis_url, tmp_path), serving(redis_url, *where) as client, browser.new_context() as c:
        page = c.new_page()
        page.goto(f"{client.base_url}?user=ann")
        page.locator("#secret").fill("s3cret")
        page.locator("#secret").press("Enter")
        page.locator("#list .card").first.wait_for()
        choose(page, shown(page)[0])


def test_a_server_that_comes_back_is_found_again(browser: Browser, redis_url: str) -> None:
    port = f"serve.port={free_port()}"
    with browser.new_context() as context:
        page = context.new_page()
        with serving(redis_url, port) as client:
            page.goto(f"{client.base_url}?user=ann")
            expect(page.locator("#link")).to_have_text("live")
        expect(page.locator("#link")).to_have_text("no connection")
        with serving(redis_url, port):
            expect(page.locator("#link")).to_have_text("live")


def test_what_goes_wrong_is_said(browser: Browser, redis_url: str) -> None:
    with serving(redis_url) as client, browser.new_context() as context:
        redis.Redis.from_url(redis_url).set(
            "popular",
            b'{"id":"1","at":1,"v":1,"source":"popular","items":[{"item":"a","score":1}]}',
        )
        page = context.new_page()
        page.goto(f"{client.base_url}?user=ann")
        page.locator("#list .card button").first.click()
        expect(page.locator("#problem")).to_contain_text("This server takes no events")
        page.locator("#tab-operator").click()
        expect(page.locator("#age")).to_contain_text("No job has written")
