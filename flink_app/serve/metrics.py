"""What the server counts, for Prometheus: requests, answers from memory, events, streams.

In: each request with its route, status and time. Out: the text of `/metrics`. Labels are routes,
methods, statuses and reasons, never ids.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flink_app.serve.problems import FAILED

log = logging.getLogger(__name__)
_BUCKETS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "millirec_http_requests",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "millirec_http_seconds",
            "Time until the response started, by route.",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.rejected = Counter(
            "millirec_events_rejected",
            "Events rejected, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Add a figure that is looked up at each scrape."""
        Gauge(name, what, registry=self.registry).set_function(read)

    def counter(self, name: str, what: str, read: Callable[[], int]) -> None:
        """Add a count that is kept elsewhere."""
        self.registry.register(_Kept(name, what, read))

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        key = (route, method, status)
        if key not in self._children:
            self._children[key] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route),
            )
        requests, times = self._children[key]
        requests.inc()
        times.observe(seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _Kept(Collector):
    def __init__(self, name: str, what: str, read: Callable[[], int]) -> None:
        self._name, self._what, self._read = name, what, read

    def collect(self) -> list[CounterMetricFamily]:
        """The current count."""
        return [CounterMetricFamily(self._name, self._what, value=self._read())]


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Observed:
    """ASGI middleware that counts and times each request, and answers if everything else fails."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, seconds, whole = 0, 0.0, False

        async def noted(message: Message) -> None:
            nonlocal status, seconds, whole
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
            else:
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            log.exception("%s failed", scope["method"])
            if not status:
                await FAILED.response()(scope, receive, noted)
            elif not whole:
                raise  # close the connection: half an answer must not pass for a whole one
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.observe(route, method, status, seconds)
