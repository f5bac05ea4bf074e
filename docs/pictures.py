"""Takes the pictures of the live page that the documentation shows, of the demo itself.

In: names of scenarios. Out: docs/page-<name>.png of each, after somebody has used the page. From
the repository's root: `python -m docs.pictures shop video social`. It takes two minutes each.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.flink_app.serve.browsers import chromium

FOLDER = Path(__file__).parent
MOST_BYTES = 300_000
_SIZE = {"width": 1200, "height": 1000}
_PATIENCE_MS = 120_000


@contextmanager
def demo(scenario: str) -> Iterator[str]:
    """A demo that is showing lists; its page's address."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "flink_app", "demo", "--scenario", scenario],
            env=environment | {"TMPDIR": folder, "DEMO_SECONDS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            url = ""
            for line in process.stdout:
                found = re.search(r"Live page: (http[^\s,]+)", line)
                url = found[1] if found else url
                if "the list follows after" in line:
                    break
            else:
                raise SystemExit("The demo has ended before the first list.")
            if not url:
                raise SystemExit("The demo has no page: install the extra serve.")
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=300)


def followed(page: Page) -> None:
    """Wait for the list that follows what was done last."""
    expect(page.locator("#said")).to_contain_text("The list followed after")


def act(page: Page, button: str) -> None:
    """Press a button and wait for the list that follows."""
    page.locator("#said").evaluate("said => { said.textContent = '' }")
    page.locator(button).first.click()
    followed(page)


def shop(page: Page) -> None:
    """Somebody looks around, puts something into the cart, and searches."""
    for place in (3, 1):
        act(page, f"#list .card:nth-child({place}) button")
    act(page, "[data-does=add]")
    page.locator("#query").fill("copper lamp")
    act(page, "#search button")


def video(page: Page) -> None:
    """Somebody watches a part of two videos, and is about to watch a third."""
    for place, share in ((2, "620"), (4, "350")):
        page.locator(f"#list .card:nth-child({place}) button").click()
        page.locator("#player .toggle").click()
        page.locator("#player input").fill(share)
        act(page, "#player .close")
    page.locator("#list .card:nth-child(1) button").click()
    page.locator("#player .similar .card").first.wait_for()
    act(page, "[data-does='stars 4']")
    page.locator("#player input").fill("280")


def social(page: Page) -> None:
    """Somebody likes two posts, follows an author, and comments."""
    for place in (2, 4):
        act(page, f"#list .card:nth-child({place}) .like")
    act(page, "#shelves .quiet")
    page.locator("#list .card:nth-child(1) .talk").click()
    page.locator("#list .card:nth-child(1) .comments input").fill("So true!")
    act(page, "#list .card:nth-child(1) .comments button")


STORIES: dict[str, Callable[[Page], None]] = {"shop": shop, "video": video, "social": social}


def taken(page: Page) -> bytes:
    """The window as a PNG, of fewer colours if it would be too large."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)  # until nothing moves any more
    whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for image in (whole, whole.quantize(256, dither=Image.Dither.NONE)):
        out = io.BytesIO()
        image.save(out, "png", optimize=True)
        if len(out.getvalue()) <= MOST_BYTES:
            break
    return out.getvalue()


def take(scenario: str, url: str) -> None:
    """Use the page at `url` as somebody would, and write the picture."""
    expect.set_options(timeout=_PATIENCE_MS)
    with chromium() as browser:
        page = browser.new_page(viewport={**_SIZE})
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(f"{url}?user=ann")
        page.locator("#list .card").nth(8).wait_for()
        STORIES[scenario](page)
        page.evaluate("scrollTo(0, 0)")
        picture = taken(page)
    path = FOLDER / f"page-{scenario}.png"
    path.write_bytes(picture)
    print(f"{path}: {len(picture):,} bytes, of {MOST_BYTES:,} at most")


def main(scenarios: list[str]) -> None:
    """Take the pictures of these scenarios, or of all."""
    for scenario in scenarios or [*STORIES]:
        with demo(scenario) as url:
            take(scenario, url)


if __name__ == "__main__":
    main(sys.argv[1:])
