"""What the operators' view of the live page shows, read from the page itself.

In: the page's address. Out: a browser that has the view open, and its figures as numbers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error, Page

from tests.flink_app.serve.browsers import chromium

Tile = tuple[str, Sequence[tuple[str, str]]]
"""The name of a figure, and its labels with their values, as they are written."""

_TILES = """all => all.map(tile => [tile.querySelector('h3').textContent,
  [...tile.querySelectorAll('.values > div')].map(pair =>
    [pair.querySelector('dt').textContent, pair.querySelector('dd').textContent])])"""
_ANSWERS_S = 60.0
_NUMBER = re.compile(r"[\d,]+(\.\d+)?")


@contextmanager
def operator_view(url: str) -> Iterator[Page]:
    """A Chromium that shows the view, once there are figures."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        _open(page, f"{url}#operator")
        page.locator(".tile").first.wait_for()
        yield page


def _open(page: Page, url: str) -> None:
    """The demo tells the address a moment before it answers."""
    until = time.monotonic() + _ANSWERS_S
    while True:
        try:
            page.goto(url)
            return
        except Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.2)


def figures(page: Page, picture: Path | None = None) -> dict[str, float]:
    """All figures as they stand on the page; with a picture of it, if a file is named."""
    tiles: list[Tile] = page.eval_on_selector_all(".tile", _TILES)
    if picture is not None:
        page.screenshot(path=picture, full_page=True)
    return numbers(tiles)


def numbers(tiles: Sequence[Tile]) -> dict[str, float]:
    """The numbers among what is written, by figure and label; a dash is none.

    >>> numbers([("Freshness", [("half within", "38 ms"), ("99 of 100 within", "1,204 ms")])])
    {'Freshness: half within': 38.0, 'Freshness: 99 of 100 within': 1204.0}
    >>> numbers([("Recall@10", [("served", "12.5 %"), ("popular", "–")])])
    {'Recall@10: served': 12.5}
    """
    return {
        f"{name}: {label}": float(found[0].replace(",", ""))
        for name, pairs in tiles
        for label, text in pairs
        if (found := _NUMBER.match(text))
    }
