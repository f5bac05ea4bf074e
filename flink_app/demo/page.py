"""The live page beside the demo's terminal view, where the extra `serve` is installed.

In: the demo's settings and shop. Out: `millirec serve` as a process of its own, at
http://127.0.0.1:8080 or the next free port; titles and categories of the shop's items in Redis; the
page in a browser where one can be.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator, Sequence

import msgspec
import redis

from flink_app.local.child_processes import end_guarded, start_guarded
from flink_app.local.ports import LOOPBACK, in_use
from flink_app.simulator import Shop

PORT = 8080
_TRIED = 100
_PATIENCE_S = 60.0


class Page:
    """A page that is served; `url` is where, though not from the first moment."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"

    @property
    def accepted(self) -> int:
        """Events that visitors have sent so far, as far as the server tells."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        found = re.search(r"^millirec_events_accepted_total (\S+)", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def open(self) -> None:
        """Show it in a browser once it answers, where there is a display; not with
        DEMO_BROWSER=0."""
        screen = sys.platform in ("darwin", "win32") or any(
            os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
        )
        if os.environ.get("DEMO_BROWSER") != "0" and screen and sys.stdout.isatty():
            threading.Thread(target=self._open, name="browser", daemon=True).start()

    def _open(self) -> None:
        if self.wait():
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(self.url)

    def wait(self) -> bool:
        """Wait until it answers; whether it does."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/health/live", timeout=5).close()
                return True
            time.sleep(0.1)
        return False


@contextlib.contextmanager
def page(
    settings: Sequence[str], url: str, prefix: str, shop: Shop, port: int = PORT
) -> Iterator[Page | None]:
    """Serve the page until left; None where what it needs is not installed.

    Args:
        settings: those of the job, as by `--set`. url, prefix: of Redis. port: the first one that
            is tried.
    """
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn")):
        yield None
        return
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        _write_titles(shop, client, prefix)
    port = next((port for port in range(port, port + _TRIED) if not in_use(port)), port)
    command = [sys.executable, "-m", "flink_app", "serve", "--port", str(port)]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MILLIREC_")}
    environment["REDIS_URL"] = url  # its password is not for everybody's eyes, as arguments are
    for setting in settings:
        command += ["--set", setting] if not setting.startswith("redis.url=") else []
    guard = start_guarded(command, environment)
    try:
        yield Page(port)
    finally:
        end_guarded(guard)


def _write_titles(shop: Shop, client: redis.Redis, prefix: str) -> None:
    pipeline = client.pipeline(transaction=False)
    for number in range(shop.items):
        item = f"i{number}"
        told = {"title": shop.title(item), "category": shop.category(item)}
        pipeline.set(f"{prefix}item:{item}", msgspec.json.encode(told))
    pipeline.execute()
