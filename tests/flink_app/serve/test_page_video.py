"""The live page as a video platform, in a real Chromium: watching, rating, going on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from flink_app.local.redis_server import RedisServer
from tests.flink_app.serve.platforms import EVIL, followed, opened, too_wide, videos
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def job(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with Job(redis_server.url, tmp_path_factory.mktemp("inbox"), videos) as job:
        yield job


@pytest.fixture(scope="module")
def site(job: Job, redis_server: RedisServer) -> Iterator[str]:
    where = "source.kind=directory", f"source.paths={job.inbox}"
    with serving(
        redis_server.url, *where, "serve.page=video", "events.weights.watch=1.0"
    ) as client:
        yield str(client.base_url)


def said(job: Job, user: str) -> list[dict[str, Any]]:
    """What a user has done, without what the server adds."""
    mine = [line for line in job.heard if line["user"] == user and "type" in line]
    return [{name: line.get(name) for name in ("item", "type", "value")} for line in mine]


def watch(page: Page, item: str, share: int) -> None:
    """Watch a part of a video, in percent, and close the player."""
    page.locator(f'.card[data-item="{item}"] button').first.click()
    expect(page.locator("#player")).to_be_visible()
    page.locator("#player .toggle").click()
    expect(page.locator("#player .toggle")).to_have_text("▶")
    page.locator("#player input").fill(str(share * 10))
    page.locator("#player .close").click()
    expect(page.locator("#player")).to_be_hidden()


def test_what_is_watched_is_sent_with_its_share_and_the_list_follows(
    browser: Browser, site: str, job: Job
) -> None:
    with opened(browser, site, "ann") as page:
        expect(page.locator("#tab-front")).to_have_text("Videos")
        expect(page.locator("#who")).to_contain_text("Watch something.")
        card = page.locator('#list [data-item="i5"]')
        expect(card.locator(".length")).to_have_text("15 min")
        watch(page, "i5", 40)
        followed(page, "You watched 40 % of Video 5")
        assert said(job, "ann") == [{"item": "i5", "type": "watch", "value": 0.4}]
        expect(page.locator('#list [data-item="i5"]')).to_have_count(0)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
        assert len(ids) == len({*ids})
        expect(page.locator("#list .why").first).to_have_text("because you watched Video 5")
        begun = page.locator('#continue [data-item="i5"]')
        expect(begun.locator(".why")).to_have_text("9 min left")
        expect(begun.locator("progress")).to_have_js_property("value", 0.4)
        page.reload()
        page.locator('#continue [data-item="i5"] button').click()  # goes on from there
        expect(page.locator("#player .time")).to_contain_text("of 15:00")
        assert page.locator("#player input").input_value() >= "400"


def test_after_an_episode_comes_the_next_one(browser: Browser, site: str, job: Job) -> None:
    with opened(browser, site, "bob") as page:
        expect(page.locator('#list [data-item="i0"] .episode')).to_have_text("Series 0, episode 1")
        page.locator('#list [data-item="i0"] button').click()
        expect(page.locator("[data-does=next]")).to_have_text("Next: Video 12")
        expect(page.locator("#player .similar h3")).to_have_text("Because you watch Video 0")
        page.locator("#player input").fill("1000")
        followed(page, "You watched 100 % of Video 0")
        expect(page.locator('#continue [data-item="i12"] .why')).to_have_text("next episode")
        page.locator("[data-does=next]").click()
        expect(page.locator("#player h2")).to_have_text("Video 12")
        page.locator("#player .toggle").click()
        page.locator("#player input").fill("500")
        page.locator('#list [data-item="i3"] button').click()  # another one takes its place
        followed(page, "You watched 50 % of Video 12")
        watched = [line for line in said(job, "bob") if line["type"] == "watch"]
        assert [(line["item"], line["value"]) for line in watched] == [("i0", 1), ("i12", 0.5)]


def test_somebody_who_comes_again_goes_on_with_the_series(
    browser: Browser, site: str, job: Job
) -> None:
    event = {"user": "carl", "item": "i13", "type": "watch", "value": 1.0}
    httpx.post(f"{site}/events", json=event).raise_for_status()
    wait_for(lambda: httpx.get(f"{site}/recommend/carl").json()["known"])
    with opened(browser, site, "carl") as page:
        expect(page.locator('#continue [data-item="i25"] .why')).to_have_text("next episode")


def test_stars_and_hearts_are_sent_once_and_shown(browser: Browser, site: str, job: Job) -> None:
    with opened(browser, site, "dora") as page:
        page.locator('#list [data-item="i4"] button').click()
        page.get_by_role("button", name="4 stars").click()
        followed(page, "You gave 4 of 5 stars to Video 4")
        page.get_by_role("button", name="Favourite").click()
        followed(page, "You marked Video 4 as a favourite")
        page.get_by_role("button", name="Favourite").click()
        expect(page.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#shelves h2").first).to_have_text("Your favourites")
        assert said(job, "dora") == [
            {"item": "i4", "type": "rating", "value": 4},
            {"item": "i4", "type": "favourite", "value": None},
        ]


def test_who_is_forgotten_while_a_video_plays_stays_forgotten(
    browser: Browser, site: str, job: Job
) -> None:
    with opened(browser, site, "hal") as page:
        watch(page, "i5", 40)
        followed(page, "You watched 40 % of Video 5")
        page.locator("#list .card button").first.click()
        page.locator("#player input").fill("500")
        page.locator("#forget").click()
        page.locator("#sure [value=yes]").click()
        expect(page.locator("#said")).to_contain_text("hal is forgotten.")
        expect(page.locator("#player")).to_be_hidden()
        expect(page.locator("#continue .card")).to_have_count(0)
        page.goto(f"{site}/health/live")  # what is left to say is said as the page is left
        event = {"user": "hal", "item": "i7", "type": "click"}
        httpx.post(f"{site}/events", json=event).raise_for_status()
        wait_for(lambda: "i7" in [line["item"] for line in said(job, "hal")])
        assert [line["item"] for line in said(job, "hal")] == ["i5", "i7"]
        page.goto(f"{site}?user=hal")
        page.locator("#list .card").first.wait_for()
        assert page.evaluate("sessionStorage.getItem('millirec-watched-hal')") is None


def test_what_is_refused_is_not_shown_as_done_and_may_be_done_again(
    browser: Browser, site: str, job: Job
) -> None:
    refused: dict[str, Any] = {"status": 503, "json": {"detail": "The events may be lost."}}
    with opened(browser, site, "ida", "503") as page:
        heart = page.get_by_role("button", name="Favourite")
        stars = page.get_by_role("button", name="4 stars")
        page.route("**/events", lambda route: route.fulfill(**refused))
        watch(page, "i5", 40)
        expect(page.locator("#problem")).to_have_text("The events may be lost.")
        expect(page.locator("#continue .card")).to_have_count(0)
        page.locator('#list [data-item="i5"] button').click()
        page.locator("#player .toggle").click()
        heart.click()
        expect(heart).to_have_attribute("aria-pressed", "false")
        stars.click()
        expect(stars).to_have_attribute("aria-pressed", "false")
        page.unroute("**/events")
        heart.click()
        followed(page, "You marked Video 5 as a favourite")
        page.locator("#player input").fill("300")
        page.locator("#player .close").click()
        followed(page, "You watched 30 % of Video 5")
        assert said(job, "ida") == [
            {"item": "i5", "type": "favourite", "value": None},
            {"item": "i5", "type": "watch", "value": 0.3},
        ]


def test_genres_have_shelves_and_what_is_begun_is_sent_as_the_page_is_left(
    browser: Browser, site: str, job: Job
) -> None:
    with opened(browser, site, "emil") as page:
        expect(page.locator("#shelves h2").first).to_have_text("Trending now")
        expect(page.locator("#shelves h2")).to_have_count(5)
        name = page.locator("#shelves h2").nth(1).inner_text()
        assert page.locator("#shelves .shelf").nth(1).locator(".why").first.inner_text() == (
            f"popular in {name}"
        )
        page.locator('#list [data-item="i6"] button').click()
        page.locator("#player .toggle").click()
        page.locator("#player input").fill("300")
        page.goto(f"{site}/health/live")
        wait_for(lambda: said(job, "emil"))
    with opened(browser, site, "emil") as page:
        expect(page.locator("#who")).to_contain_text("A list of your own")
        assert said(job, "emil") == [{"item": "i6", "type": "watch", "value": 0.3}]


def test_it_is_used_by_keyboard(browser: Browser, site: str) -> None:
    with opened(browser, site, "fay", reduced_motion="reduce") as page:
        page.locator("#list .card button").nth(2).focus()
        page.keyboard.press("Enter")
        expect(page.locator("#player .toggle")).to_be_focused()
        expect(page.locator("#player .toggle")).to_have_attribute("aria-label", "Pause")
        page.keyboard.press("Space")
        expect(page.locator("#player .toggle")).to_have_attribute("aria-label", "Play")
        page.keyboard.press("Tab")
        page.keyboard.press("End")
        followed(page, "You watched 100 % of Video 2")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#player")).to_be_hidden()
        assert page.evaluate("document.activeElement.closest('#list .card') !== null")


def test_it_is_dark_unless_light_is_wanted(browser: Browser, site: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, site, "gus", color_scheme="light") as page:
        assert page.evaluate(paper) == "rgb(12, 11, 18)"
        page.locator("#theme").click()
        expect(page.locator("#theme")).to_have_text("Light")
        assert page.evaluate(paper) == "rgb(244, 243, 247)"


def test_hostile_videos_are_text_and_fit_a_phone(
    browser: Browser, site: str, redis_server: RedisServer
) -> None:
    items = [EVIL, "a/b?c#d", "__proto__", "x" * 200]
    told = {
        "title": EVIL, "category": EVIL, "categories": [EVIL], "tags": [EVIL, 7],
        "attributes": {"series": EVIL, "episode": EVIL, "duration_s": EVIL},
    }  # fmt: skip
    entries = [
        {"item": one, "score": 1, "why": {"model": EVIL, "because": [EVIL]}} for one in items
    ]
    value = {"user": "eve", "id": "1-0", "at": 1, "v": 1, "source": "ranker", "items": entries}
    with redis.Redis.from_url(redis_server.url) as client:
        client.set(f"item:{EVIL}", msgspec.json.encode(told))
        client.set("item:__proto__", b'{"title":7,"attributes":"none"}')
        client.set("rec:eve", msgspec.json.encode(value))
    size = {"width": 360, "height": 740}
    with opened(browser, site, "eve", "404", viewport=size, has_touch=True) as page:
        assert too_wide(page) == []
        taken: dict[str, Any] = {"json": {"accepted": 1, "rejected": []}}
        page.route("**/events", lambda route: route.fulfill(**taken))  # so that the list stays
        expect(page.locator("#list .title").first).to_have_text(EVIL)
        for card in page.locator("#list .card button").all()[:3]:
            card.tap()
            expect(page.locator("#player")).to_be_visible()
            page.locator("#player .toggle").tap()
            page.locator("#player input").fill("300")
            assert too_wide(page) == []
            page.locator("#player .close").tap()
        expect(page.locator("#continue .card")).to_have_count(3)
        assert page.evaluate("window.hit") is None
