"""The live page next to the demo's terminal view, if the extra `serve` is installed.

In: the demo's settings. Out: `millirec serve` as a separate process, at
http://127.0.0.1:8080 or the next free port; the page in a browser, if there is a display.
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

from flink_app.local.child_processes import end_guarded, start_guarded
from flink_app.local.ports import LOOPBACK, in_use

PORT = 8080
_PORTS_TRIED = 100
_EVERYWHERE = ("0.0.0.0", "::")
_PATIENCE_S = 60.0


class Page:
    """The page that is served at `url` once the server has started, see `wait`."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self.url = f"http://{LOOPBACK if host in _EVERYWHERE else host}:{port}"

    @property
    def accepted(self) -> int:
        """Events that visitors have sent so far; 0 if the server does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        found = re.search(r"^millirec_events_accepted_total (\S+)", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def open(self) -> None:
        """Open it in a browser once it answers, if there is a display and no DEMO_BROWSER=0."""
        display = sys.platform in ("darwin", "win32") or any(
            os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
        )
        if os.environ.get("DEMO_BROWSER") != "0" and display and sys.stdout.isatty():
            threading.Thread(target=self._open, name="browser", daemon=True).start()

    def _open(self) -> None:
        if self.wait():
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(self.url)

    def wait(self) -> bool:
        """Wait until it answers; False if it does not."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/health/live", timeout=5).close()
                return True
            time.sleep(0.1)
        return False


@contextlib.contextmanager
def page(settings: Sequence[str], url: str, port: int = PORT) -> Iterator[Page | None]:
    """Serve the page while the context lasts; None if the packages are not installed.

    Args:
        settings: the job's, as for `--set`. url: of Redis. port: the first one to try. The server
            listens on loopback, or on the address in the environment variable DEMO_HOST.
    """
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn")):
        yield None
        return
    port = next((port for port in range(port, port + _PORTS_TRIED) if not in_use(port)), port)
    host = os.environ.get("DEMO_HOST") or LOOPBACK
    command = [sys.executable, "-m", "flink_app", "serve", "--host", host, "--port", str(port)]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MILLIREC_")}
    environment["REDIS_URL"] = url  # not an argument: every user can see those, and its password
    for setting in settings:
        command += ["--set", setting] if not setting.startswith("redis.url=") else []
    guard = start_guarded(command, environment)
    try:
        yield Page(port, host)
    finally:
        end_guarded(guard)
