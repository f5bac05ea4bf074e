"""Servers for tests: `millirec serve` in a thread, and lists as the job writes them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from flink_app.config import load
from flink_app.local.ports import free_port
from flink_app.serve.server import Server, address


@contextmanager
def serving(redis_url: str, *overrides: str, **headers: str) -> Iterator[httpx.Client]:
    """A client of a server that reads this Redis."""
    # However busy the machine is, Redis is not away before a test says so.
    patience = "serve.timeout_s=20"
    given = [f"redis.url={redis_url}", f"serve.port={free_port()}", patience, *overrides]
    config = load(None, given, {}).config
    server = Server(config)
    thread = threading.Thread(target=_run, args=(server,), name="serve", daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=address(config), headers=headers, timeout=20) as client:
            yield client
    finally:
        server.end()
        thread.join()


def _run(server: Server) -> None:
    with contextlib.suppress(SystemExit):
        server.run()


def made(items: str, **fields: Any) -> bytes:
    """A list of these items, as the job writes it.

    >>> made("ab", user="u")[:60]
    b'{"user":"u","id":"x-1","at":1795548161115,"v":1,"source":"ra'
    """
    entries = b",".join(
        b'{"item":%s,"score":%.4f,"why":{"model":"mf"}}' % (msgspec.json.encode(item), 1 - n / 10)
        for n, item in enumerate(items)
    )
    head = {**fields, "id": "x-1", "at": 1795548161115, "v": 1, "source": "ranker"}
    return msgspec.json.encode(head)[:-1] + b',"items":[' + entries + b"]}"


def items(answer: Any) -> str:
    """The items of an answer, in a word."""
    return "".join(entry["item"] for entry in answer["items"])
