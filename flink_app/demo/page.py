"""The live page beside the demo's terminal view, where the extra `serve` is installed.

In: the demo's configuration and shop. Out: a server at http://127.0.0.1:8080, or the next free
port; titles and categories of the shop's items in Redis; the page in a browser where one can be.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import redis

from flink_app.config import Config
from flink_app.embedded.ports import in_use
from flink_app.simulator import Shop

if TYPE_CHECKING:
    from flink_app.serve.server import Beside

_TRIED = 100


@contextlib.contextmanager
def page(config: Config, shop: Shop, client: redis.Redis) -> Iterator[Beside | None]:
    """Serve the page until left; None where what it needs is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn")):
        yield None
        return
    from flink_app.serve.server import Beside

    _write_titles(shop, client, config.redis.prefix)
    serve = msgspec.structs.replace(config.serve, port=_port(config.serve.port))
    with Beside(msgspec.structs.replace(config, serve=serve)) as server:
        yield server


def open_page(url: str) -> None:
    """Show the page in a browser, where there is a display and DEMO_BROWSER is not 0."""
    screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if os.environ.get("DEMO_BROWSER") != "0" and screen and sys.stdout.isatty():
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)


def _port(wanted: int) -> int:
    """The first free port from `wanted` on."""
    return next((port for port in range(wanted, wanted + _TRIED) if not in_use(port)), wanted)


def _write_titles(shop: Shop, client: redis.Redis, prefix: str) -> None:
    pipeline = client.pipeline(transaction=False)
    for number in range(shop.items):
        item = f"i{number}"
        told = {"title": shop.title(item), "category": shop.category(item)}
        pipeline.set(f"{prefix}item:{item}", msgspec.json.encode(told))
    pipeline.execute()
