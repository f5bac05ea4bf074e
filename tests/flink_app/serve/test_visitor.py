"""The snippet for a shop's pages in a real Chromium, with a real server: the page in docs/people.md
as it stands there, and the lines that it sends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.documents import ROOT
from tests.flink_app.serve.servers import serving

KEPT = "localStorage.getItem('millirec-visitor')"
VISIT = "sessionStorage.getItem('millirec-session')"

LATER = """minutes => {
    const visit = JSON.parse(sessionStorage.getItem('millirec-session'));
    visit.at -= minutes * 60000;
    sessionStorage.setItem('millirec-session', JSON.stringify(visit));
}"""

BEACON = """() => {
    const real = navigator.sendBeacon.bind(navigator);
    navigator.sendBeacon = (path, body) => {
        localStorage.setItem('beacon', body);
        return real(path, body);
    };
}"""


BLOCKED = """Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('storage is blocked', 'SecurityError'); },
});"""


@pytest.fixture
def site(redis_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    where = "source.kind=directory", f"source.paths={tmp_path}", "identity.enabled=true"
    with serving(redis_url, *where) as client:
        yield client


@pytest.fixture
def context(browser: Browser, site: httpx.Client) -> Iterator[BrowserContext]:
    """Somebody's browser, for which the shop's page is at /shop."""
    text = (ROOT / "docs" / "people.md").read_text("utf-8")
    found = re.search(r"```html\n(.*?)```", text, re.DOTALL)
    assert found
    with browser.new_context() as context:
        context.set_default_timeout(30_000)
        whole = {"body": found[1], "content_type": "text/html"}
        context.route("**/shop", lambda route: route.fulfill(**whole))
        yield context


@pytest.fixture
def shop(context: BrowserContext, site: httpx.Client) -> Page:
    return opened(context, site)


def opened(context: BrowserContext, site: httpx.Client) -> Page:
    """The shop's page, once its script has run."""
    page = context.new_page()
    with page.expect_response(re.compile(r"/(popular|recommend/.*)\?n=10")):
        page.goto(f"{site.base_url}/shop")
    return page


def lines(folder: Path, n: int) -> list[dict[str, Any]]:
    """The first `n` lines that have arrived, in order, without what the server adds."""
    deadline = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while len(found) < n:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
        files = sorted(folder.glob("[0-9]*"))
        found = [
            msgspec.json.decode(line)
            for one in files
            for line in one.read_bytes().split(b"\n")
            if line
        ]
    for line in found:
        line.pop("ts")
    return found


def kept(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(page.evaluate(KEPT))
    return found


def test_before_consent_nothing_is_sent_and_nothing_is_stored(
    shop: Page, context: BrowserContext, tmp_path: Path
) -> None:
    sent: list[str] = []
    shop.on("request", lambda request: sent.append(request.method))
    for button in ("kettle", "log-in", "forget", "withdraw", "log-out", "kettle"):
        shop.locator(f"#{button}").click()
    shop.wait_for_timeout(1_500)  # longer than events wait
    shop.goto("about:blank")
    assert "POST" not in sent
    assert context.cookies() == []
    assert not [*tmp_path.glob("[0-9]*")]


def test_events_are_sent_after_consent_under_a_random_id(shop: Page, tmp_path: Path) -> None:
    shop.locator("#agree").click()
    for _ in range(2):
        shop.locator("#kettle").click()
    first, second = lines(tmp_path, 2)
    user = kept(shop)["id"]
    assert re.fullmatch(r"anon-[0-9a-f]{32}", user)
    assert first.pop("id") != second.pop("id")
    visit = first["session"]
    assert re.fullmatch(r"[0-9a-f]{32}", visit)
    assert first == second == {"user": user, "item": "kettle", "type": "click", "session": visit}


def test_a_visit_is_of_a_tab_and_ends_with_a_pause_and_with_its_id(
    shop: Page, context: BrowserContext, site: httpx.Client, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    shop.locator("#kettle").click()
    other = opened(context, site)
    other.locator("#kettle").click()
    first, second = (line["session"] for line in lines(tmp_path, 2))
    assert first != second
    shop.evaluate(LATER, 29)
    shop.reload()
    shop.locator("#kettle").click()
    assert lines(tmp_path, 3)[2]["session"] == first
    shop.evaluate(LATER, 31)
    shop.reload()
    shop.locator("#kettle").click()
    assert lines(tmp_path, 4)[3]["session"] not in {first, second}
    shop.locator("#forget").click()
    shop.wait_for_function(f"{KEPT} !== null")
    shop.locator("#kettle").click()
    found = [line["session"] for line in lines(tmp_path, 6) if "session" in line]
    assert len({*found}) == 4  # with another id, another visit
    shop.locator("#withdraw").click()
    lines(tmp_path, 7)
    assert shop.evaluate(VISIT) is None
    other.wait_for_function(f"{VISIT} === null")


def test_what_waits_when_the_page_is_left_goes_as_a_beacon(
    shop: Page, context: BrowserContext, site: httpx.Client, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    user = kept(shop)["id"]
    shop.evaluate(BEACON)
    shop.locator("#kettle").click()
    shop.goto("about:blank")
    assert lines(tmp_path, 1)[0]["user"] == user
    other = opened(context, site)
    assert '"kettle"' in other.evaluate("localStorage.getItem('beacon')")


def test_a_log_in_links_once_and_a_log_out_begins_with_another_id(
    shop: Page, context: BrowserContext, site: httpx.Client, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    shop.locator("#kettle").click()
    shop.locator("#log-in").click()
    first = kept(shop)["id"]
    found = lines(tmp_path, 2)
    assert {"kind": "link", "user": first, "to": "alice"} in found
    assert [line["user"] for line in found if "item" in line] == [first]
    shop.wait_for_function(f"JSON.parse({KEPT}).told")
    with shop.expect_response("**/recommend/alice*"):
        shop.reload()  # still logged in: nothing to link
    shop.locator("#kettle").click()
    assert [line["user"] for line in lines(tmp_path, 3)[2:]] == ["alice"]
    shop.locator("#log-out").click()
    assert kept(shop)["id"] != first
    shop.locator("#kettle").click()
    assert [line["user"] for line in lines(tmp_path, 4)[3:]] == [kept(shop)["id"]]


def test_whoever_comes_after_a_session_has_ended_is_somebody_else(
    shop: Page, context: BrowserContext, site: httpx.Client, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    shop.locator("#log-in").click()
    lines(tmp_path, 1)
    first = kept(shop)["id"]
    other = opened(context, site)  # a new tab has no session of the example's
    assert kept(other)["id"] != first
    assert kept(other)["linked"] == ""


def test_a_link_that_does_not_arrive_is_sent_by_the_next_page(
    shop: Page, context: BrowserContext, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    first = kept(shop)["id"]
    context.set_offline(True)
    shop.locator("#log-in").click()
    shop.wait_for_function(f"JSON.parse({KEPT}).linked === 'alice'")
    context.set_offline(False)
    shop.reload()
    assert lines(tmp_path, 1) == [{"kind": "link", "user": first, "to": "alice"}]


def test_events_wait_while_there_is_no_connection(
    shop: Page, context: BrowserContext, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    context.set_offline(True)
    with shop.expect_event("requestfailed"):
        shop.locator("#kettle").click()
    context.set_offline(False)
    assert [line["item"] for line in lines(tmp_path, 1)] == ["kettle"]


def test_the_wish_to_be_forgotten_arrives_and_consent_stays(shop: Page, tmp_path: Path) -> None:
    shop.locator("#agree").click()
    first = kept(shop)["id"]
    shop.locator("#forget").click()
    assert lines(tmp_path, 1) == [{"kind": "forget", "user": first}]
    shop.wait_for_function(f"{KEPT} !== null")
    assert kept(shop)["id"] != first
    shop.locator("#kettle").click()
    assert lines(tmp_path, 2)[1]["user"] == kept(shop)["id"]


def test_a_wish_that_does_not_arrive_can_be_said_again(
    shop: Page, context: BrowserContext, tmp_path: Path
) -> None:
    shop.locator("#agree").click()
    first = kept(shop)
    for button in ("forget", "withdraw"):
        context.set_offline(True)
        with shop.expect_event("pageerror"):
            shop.locator(f"#{button}").click()
        assert kept(shop) == first
        context.set_offline(False)
    shop.locator("#withdraw").click()
    assert lines(tmp_path, 1) == [{"kind": "forget", "user": first["id"]}]


def test_a_consent_that_does_not_arrive_is_none_and_can_be_given_again(
    shop: Page, context: BrowserContext, tmp_path: Path
) -> None:
    shop.locator("#log-in").click()
    context.set_offline(True)
    with shop.expect_event("pageerror"):
        shop.locator("#agree").click()
    assert shop.evaluate(KEPT) is None
    shop.locator("#kettle").click()  # nobody has agreed to this being sent
    context.set_offline(False)
    shop.locator("#agree").click()
    shop.wait_for_function(f"JSON.parse({KEPT})?.told")
    link = {"kind": "link", "user": kept(shop)["id"], "to": "alice"}
    consent = {"kind": "consent", "user": "alice", "personalise": True}
    assert lines(tmp_path, 2) == [consent, link]
    shop.locator("#kettle").click()
    assert [line["item"] for line in lines(tmp_path, 3)[2:]] == ["kettle"]


def test_where_the_browser_blocks_storage_an_id_lasts_as_long_as_the_page(
    context: BrowserContext, site: httpx.Client, tmp_path: Path
) -> None:
    context.add_init_script(BLOCKED)
    shop = opened(context, site)
    shop.locator("#agree").click()
    for _ in range(2):
        shop.locator("#kettle").click()
    first, second = lines(tmp_path, 2)
    assert first["user"] == second["user"] and first["user"].startswith("anon-")
    shop.locator("#withdraw").click()
    assert lines(tmp_path, 3)[2] == {"kind": "forget", "user": first["user"]}


@pytest.mark.parametrize("account", ["", "alice"])
def test_withdrawn_consent_leaves_nothing_and_stops_events(
    shop: Page, tmp_path: Path, account: str
) -> None:
    shop.locator("#agree").click()
    first, before = kept(shop)["id"], 0
    if account:
        shop.locator("#log-in").click()
        before = len(lines(tmp_path, 1))
    shop.locator("#withdraw").click()
    said = {"kind": "consent", "user": account, "personalise": False}
    wanted = said if account else {"kind": "forget", "user": first}
    assert lines(tmp_path, before + 1)[before:] == [wanted]
    assert shop.evaluate(KEPT) is None
    shop.locator("#kettle").click()
    shop.wait_for_timeout(1_500)
    shop.goto("about:blank")
    assert len(lines(tmp_path, before + 1)) == before + 1
