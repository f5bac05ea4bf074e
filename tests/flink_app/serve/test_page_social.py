"""The live page as a social network, in a real Chromium: likes, comments, follows, posts of one's
own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis
from playwright.sync_api import Browser, Locator, Page, expect

from flink_app.local.redis_server import RedisServer
from tests.flink_app.serve.platforms import EVIL, followed, opened, posts, too_wide
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving
from tests.waiting import wait_for

NAMES = ("kind", "item", "type", "text", "follows")


@pytest.fixture(scope="module")
def job(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with Job(redis_server.url, tmp_path_factory.mktemp("inbox"), posts) as job:
        yield job


@pytest.fixture(scope="module")
def site(job: Job, redis_server: RedisServer) -> Iterator[str]:
    where = "source.kind=directory", f"source.paths={job.inbox}", "serve.page=social"
    more = "events.weights.comment=2.0", "events.weights.share=2.0", "identity.enabled=true"
    with serving(redis_server.url, *where, *more) as client:
        yield str(client.base_url)


def said(job: Job, user: str) -> list[dict[str, Any]]:
    """The lines that a user has sent, without what the server adds and what the page asks."""
    mine = [line for line in job.heard if line.get("user") == user and line.get("kind") != "export"]
    return [{name: line[name] for name in NAMES if name in line} for line in mine]


def send(site: str, line: dict[str, Any]) -> None:
    httpx.post(f"{site}/events", json=line).raise_for_status()


def post(page: Page, item: str) -> Locator:
    return page.locator(f'#list [data-item="{item}"]')


def test_a_post_is_liked_shared_and_commented_where_it_stands(
    browser: Browser, site: str, job: Job
) -> None:
    with opened(browser, site, "ann") as page:
        expect(page.locator("#tab-front")).to_have_text("Feed")
        liked = post(page, "i5")
        expect(liked.locator(".named")).to_have_text("Author 5@u5")
        expect(liked.locator(".when")).to_contain_text("30 min ago · topic 5 · expires in 5 h")
        expect(post(page, "i1").locator(".soon")).to_contain_text("expires in 5 min")
        liked.locator(".like").click()
        followed(page, "You liked “Post 5 about …”")
        place = "card => [...card.parentNode.children].indexOf(card)"
        assert liked.evaluate(place) == 5  # it has left the list, and stays under the pointer
        expect(liked.locator(".like")).to_have_text("♥ Liked")
        expect(page.locator("#list .why").first).to_have_text("because you liked Post 5 about …")
        liked.locator(".like").click()  # once is enough
        liked.locator(".talk").click()
        expect(liked.locator(".talk")).to_have_attribute("aria-expanded", "true")
        assert liked.locator(".talk").get_attribute("aria-pressed") is None
        liked.get_by_label("Your comment").fill("Well said")
        liked.get_by_label("Your comment").press("Enter")
        followed(page, "You commented on “Post 5 about …”")
        expect(liked.locator(".comments li")).to_have_text(["Well said"])
        liked.locator(".share").click()
        followed(page, "You shared “Post 5 about …”")
        assert said(job, "ann") == [
            {"item": "i5", "type": "like"},
            {"item": "i5", "type": "comment", "text": "Well said"},
            {"item": "i5", "type": "share"},
        ]


def test_a_post_is_opened_and_another_one_hidden(browser: Browser, site: str, job: Job) -> None:
    with opened(browser, site, "bob") as page:
        post(page, "i4").locator(".body").click()
        followed(page, "You opened “Post 4 about …”")
        expect(post(page, "i4").locator(".comments")).to_be_visible()
        post(page, "i4").locator(".body").click()
        expect(post(page, "i4").locator(".comments")).to_be_hidden()
        post(page, "i1").locator(".less").click()
        expect(post(page, "i1")).to_have_count(0)
        followed(page, "You want less of “Post 1 about …”")
        assert said(job, "bob") == [
            {"item": "i4", "type": "view"}, {"item": "i1", "type": "dislike"},
        ]  # fmt: skip


def test_authors_of_liked_posts_are_proposed_and_their_posts_say_why(
    browser: Browser, site: str, job: Job
) -> None:
    with opened(browser, site, "carl") as page:
        post(page, "i7").locator(".like").click()
        followed(page, "You liked “Post 7 about …”")
        people = page.get_by_role("list", name="People to follow")
        expect(people.locator(".name").first).to_have_text("Author 7")
        people.get_by_role("button", name="Follow Author 7").click()
        followed(page, "You follow Author 7")
        expect(post(page, "i19").locator(".why")).to_have_text("by Author 7, whom you follow")
        expect(post(page, "i19").locator(".follow")).to_have_text("Following")
        mine = page.get_by_role("list", name="You follow")
        expect(mine.locator(".name")).to_have_text(["Author 7"])
        page.reload()  # the job knows
        mine.get_by_role("button").click()
        followed(page, "You do not follow Author 7 any more")
        assert [line["follows"] for line in said(job, "carl")[1:]] == [["u7", "author:u7"], []]


def test_whom_one_follows_is_known_before_anybody_else_is_followed(
    browser: Browser, site: str, job: Job
) -> None:
    send(site, {"kind": "profile", "user": "hal", "follows": ["u3", "author:u3"]})
    away: dict[str, Any] = {"status": 503, "json": {"detail": "Redis is away."}}
    with opened(browser, site, "hal", "503") as page:
        page.route("**/users/hal/data", lambda route: route.fulfill(**away))
        page.reload()
        button = page.get_by_role("list", name="People to follow").get_by_role("button").first
        button.click()
        expect(page.locator("#problem")).to_contain_text("not known whom you follow")
        expect(page.locator("#problem")).to_contain_text("Redis is away.")
        expect(button).to_have_text("Follow")
        page.unroute("**/users/hal/data")
        post(page, "i5").locator(".follow").click()
        followed(page, "You follow Author 5")
        sent = [line["follows"] for line in said(job, "hal")[1:]]
        assert sent == [["u3", "author:u3", "u5", "author:u5"]]


def test_nobody_is_followed_beyond_what_a_line_may_name(
    browser: Browser, site: str, job: Job
) -> None:
    send(site, {"kind": "profile", "user": "ida", "follows": [f"v{n}" for n in range(63)]})
    with opened(browser, site, "ida") as page:
        post(page, "i5").locator(".follow").click()
        expect(page.locator("#said")).to_have_text("You follow as many as one can.")
        expect(post(page, "i5").locator(".follow")).to_have_text("Follow")
        mine = page.get_by_role("list", name="You follow")
        mine.get_by_role("button", name="Follow v7", exact=True).click()
        followed(page, "You do not follow v7 any more")
        [_, left] = [line["follows"] for line in said(job, "ida")]
        assert left == [f"v{n}" for n in range(63) if n != 7]


def test_what_several_ids_follow_is_said_for_each(browser: Browser, site: str, job: Job) -> None:
    send(site, {"kind": "link", "user": "tab-1", "to": "jo"})
    send(site, {"kind": "profile", "user": "tab-1", "follows": ["u3", "author:u3"]})
    with opened(browser, site, "jo") as page:
        mine = page.get_by_role("list", name="You follow")
        mine.get_by_role("button", name="Follow Author 3").click()
        followed(page, "You do not follow Author 3 any more")
        expect(mine).to_have_count(0)
        wait_for(lambda: [line["follows"] for line in said(job, "jo")] == [[]])
        wait_for(lambda: said(job, "tab-1")[-1]["follows"] == [])


def test_what_is_refused_is_not_shown_as_done(browser: Browser, site: str, job: Job) -> None:
    refused: dict[str, Any] = {"status": 503, "json": {"detail": "The events may be lost."}}
    with opened(browser, site, "kim", "503") as page:
        page.route("**/events", lambda route: route.fulfill(**refused))
        card = post(page, "i5")
        card.locator(".talk").click()
        card.get_by_label("Your comment").fill("Well said")
        card.get_by_label("Your comment").press("Enter")
        expect(page.locator("#problem")).to_have_text("The events may be lost.")
        expect(card.get_by_label("Your comment")).to_have_value("Well said")
        expect(card.locator(".comments li")).to_have_count(0)
        with page.expect_response("**/events"):
            card.locator(".follow").click()
        expect(card.locator(".follow")).to_have_text("Follow")
        expect(page.get_by_role("list", name="You follow")).to_have_count(0)
        card.locator(".body").click()  # closes the comments
        page.unroute("**/events")
        card.locator(".body").click()
        followed(page, "You opened “Post 5 about …”")
        card.get_by_label("Your comment").press("Enter")
        followed(page, "You commented on “Post 5 about …”")
        assert [line["type"] for line in said(job, "kim")] == ["view", "comment"]


def test_what_is_written_is_seen_by_others_and_not_by_its_author(
    browser: Browser, site: str, job: Job
) -> None:
    text = "Fresh bread at the corner of our street, and it is still warm #bread #Morning"
    with opened(browser, site, "dora") as page:
        page.get_by_label("Write a post").fill(text)
        page.get_by_label("Topic").fill("topic 3")
        page.get_by_role("button", name="Post", exact=True).click()
        expect(page.locator("#said")).to_contain_text("Your post is out.")
        expect(page.locator("#own li")).to_contain_text([text])
        wait_for(lambda: any(line.get("provider") == "dora" for line in job.heard))
        [line] = [line for line in job.heard if line.get("provider") == "dora"]
        assert line["title"] == "Fresh bread at the corner of our street, …"
        assert line["text"] == text and line["categories"] == ["topic 3"]
        assert line["tags"] == ["bread", "morning"] and line["kind"] == "item"
        assert line["expires"] - line["published"] == pytest.approx(6 * 3_600_000, abs=1000)
        post(page, "i6").locator(".like").click()
        followed(page, "You liked “Post 6 about …”")
        expect(page.locator("#list .author", has_text="dora")).to_have_count(0)
        with opened(browser, site, "emil") as other:
            post(other, "i6").locator(".like").click()
            followed(other, "You liked “Post 6 about …”")
            expect(post(other, line["item"]).locator(".body")).to_have_text(text)
            expect(post(other, line["item"]).locator(".tags")).to_have_text("#bread #morning")
        page.reload()
        expect(page.locator("#own li")).to_contain_text([text])
        page.locator("#forget").click()
        page.locator("#sure [value=yes]").click()
        expect(page.locator("#said")).to_contain_text("dora is forgotten.")
        expect(page.locator("#own li")).to_have_count(0)


def test_own_and_expired_posts_of_a_list_for_everybody_are_left_out(
    browser: Browser, site: str, redis_server: RedisServer
) -> None:
    with opened(browser, site, "u4") as page:
        expect(post(page, "i3")).to_have_count(1)
        expect(post(page, "i4")).to_have_count(0)
    with redis.Redis.from_url(redis_server.url) as client:
        told = {"title": "gone", "provider": "u8", "expires": 1}
        client.set("item:old", msgspec.json.encode(told))
        entries = [{"item": item, "score": 1} for item in ("old", "i9")]
        value = {"user": "late", "id": "1-1", "at": 1, "v": 1, "source": "ranker", "items": entries}
        client.set("rec:late", msgspec.json.encode(value))
    with opened(browser, site, "late") as page:
        expect(page.locator("#list .card")).to_have_count(1)


def test_a_trending_post_comes_to_the_top_of_the_feed(browser: Browser, site: str) -> None:
    with opened(browser, site, "fay") as page:
        trending = page.get_by_role("list", name="Trending").get_by_role("button").first
        title = trending.inner_text()
        trending.click()
        followed(page, f"You opened “{title}”")
        expect(page.locator("#list .card").first.locator(".comments")).to_be_visible()


def test_it_is_used_by_keyboard(browser: Browser, site: str) -> None:
    with opened(browser, site, "gus", reduced_motion="reduce") as page:
        post(page, "i2").locator(".like").focus()
        page.keyboard.press("Enter")
        followed(page, "You liked “Post 2 about …”")
        expect(post(page, "i2").locator(".like")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        post(page, "i2").get_by_label("Your comment").press_sequentially("by hand")
        page.keyboard.press("Enter")
        followed(page, "You commented on “Post 2 about …”")


def test_hostile_posts_are_text_and_fit_a_phone(
    browser: Browser, site: str, redis_server: RedisServer
) -> None:
    told = {
        "title": EVIL, "text": EVIL * 8, "category": EVIL, "categories": [EVIL], "tags": [EVIL, 7],
        "provider": EVIL, "published": EVIL, "expires": EVIL,
    }  # fmt: skip
    items = [EVIL, "__proto__", "x" * 200]
    why = {"model": "social", "followed": EVIL}
    entries = [{"item": item, "score": 1, "why": why} for item in items]
    value = {"user": "eve", "id": "1-0", "at": 1, "v": 1, "source": "ranker", "items": entries}
    with redis.Redis.from_url(redis_server.url) as client:
        client.set(f"item:{EVIL}", msgspec.json.encode(told))
        client.set("rec:eve", msgspec.json.encode(value))
    size = {"width": 360, "height": 740}
    with opened(browser, site, "eve", "404", viewport=size, has_touch=True) as page:
        first = page.locator("#list .card").first
        expect(first.locator(".body")).to_have_text(EVIL * 8)
        expect(first.locator(".why")).to_have_text(f"{EVIL}, whom you follow, liked it")
        first.locator(".like").tap()
        first.locator(".talk").tap()
        first.get_by_label("Your comment").fill(EVIL * 3)
        first.get_by_label("Your comment").press("Enter")
        expect(first.locator(".comments li")).to_have_text([EVIL * 3])
        first.locator(".follow").tap()
        page.get_by_label("Write a post").fill(EVIL)
        page.get_by_role("button", name="Post", exact=True).tap()
        expect(page.locator("#own li")).to_contain_text([EVIL])
        assert too_wide(page) == []
        assert page.evaluate("window.hit") is None
    assert httpx.get(f"{site}/items", params={"id": EVIL}).json()["items"][EVIL]["title"] == EVIL
