"""A small client: lists by Redis or by HTTP, events by HTTP, with nothing to install beside it.

In: the address of either. Out: items' ids, best first, or whole lists as docs/redis.md has them.
"""

from __future__ import annotations

import http.client
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from udfs.errors import ServiceError
from udfs.lists.keys import ITEM, POPULAR, TRENDING, USER, split


class Recommender:
    """Reads lists from where they are; one instance serves one thread.

    Args:
        url: `redis://…` as in docs/redis.md, or `http://…` of `millirec serve`; without it,
            REDIS_URL. api_key: of the server. prefix: of the keys in Redis. timeout_s: for an
            answer, in seconds.

    Example:
        with Recommender("http://127.0.0.1:8080") as shop:
            shop.send([{"user": "alice", "item": "kettle", "type": "click"}])
            shop.recommend("alice", n=3)  # ['teapot', 'mug', 'toaster']
    """

    def __init__(
        self, url: str = "", api_key: str = "", prefix: str = "", timeout_s: float = 2.0
    ) -> None:
        url = url or os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
        self._http: _Http | None = None
        self._redis: Any = None
        self._prefix = prefix
        if urlsplit(url).scheme in ("http", "https"):
            self._http = _Http(url, api_key, timeout_s)
        else:
            from udfs.stores.redis_writer import RedisSettings  # for all of its URLs

            self._redis = RedisSettings(url, timeout_s=timeout_s).client()

    def recommend(self, user: str, n: int | None = None, exclude: Iterable[str] = ()) -> list[str]:
        """The user's items, or what is popular; `exclude` are left out before counting `n`."""
        left_out = set(exclude)
        items = [entry["item"] for entry in self.list(USER.of(user))["items"]]
        return [item for item in items if item not in left_out][:n]

    def similar(self, item: str, n: int | None = None) -> list[str]:
        """Items like one; none where the item is not known."""
        return [entry["item"] for entry in self.list(ITEM.of(item))["items"]][:n]

    def popular(self, n: int | None = None) -> list[str]:
        """What is popular now."""
        return [entry["item"] for entry in self.list(POPULAR.of())["items"]][:n]

    def trending(self, n: int | None = None) -> list[str]:
        """What is taken much more than before; often nothing."""
        return [entry["item"] for entry in self.list(TRENDING.of())["items"]][:n]

    def list(self, name: str) -> dict[str, Any]:
        """A whole list: `rec:<user>`, `similar:<item>`, `popular` or `trending`.

        A user without a list gets `popular`; an item without one gets an empty list.

        Raises:
            ServiceError: no answer. redis.RedisError: none of Redis.
        """
        kind, who = split(name)
        if self._http is not None:
            path = "recommend" if kind == USER.key else kind.rstrip(":")
            path += f"/{quote(who, safe='')}" if who else ""
            found = self._http.ask("GET", f"/{path}", missing_is_empty=kind == ITEM.key)
        else:
            keys = [name, POPULAR.key] if kind == USER.key else [name]
            pipeline = self._redis.pipeline(transaction=False)  # MGET is no good in a cluster
            for key in keys:
                pipeline.get(self._prefix + key)
            values = pipeline.execute()
            value = next((value for value in values if value), None)
            found = json.loads(value) if value else None
        return found or {"items": []}

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send events as docs/events.md has them; returns once they are durable.

        An event without an `id` gets one here, so that what is sent twice counts once.

        Returns: `accepted`, how many, and `rejected`, why others were not.

        Raises:
            ServiceError: no answer, none of them was accepted, or the address is that of Redis.
        """
        if self._http is None:
            raise ServiceError("events go by HTTP or Kafka: give the address of `millirec serve`.")
        whole = [{"id": uuid.uuid4().hex, **event} for event in events]
        return self._http.ask("POST", "/events", whole) or {}

    def close(self) -> None:
        """Give the connection back."""
        (self._http or self._redis).close()

    def __enter__(self) -> Recommender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Http:
    """One connection that is kept, and made again where the server has closed it."""

    def __init__(self, url: str, api_key: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        made = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._url, self._base = url, parts.path.rstrip("/")
        self._connection = made(parts.hostname or "", parts.port, timeout=timeout_s)
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["X-API-Key"] = api_key

    def ask(
        self, method: str, path: str, body: Any = None, missing_is_empty: bool = False
    ) -> dict[str, Any] | None:
        """The answer's JSON; None of 404 where that is no error."""
        data = None if body is None else json.dumps(body).encode()
        try:
            try:
                status, answer = self._once(method, path, data)
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection.close()
                status, answer = self._once(method, path, data)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ServiceError(f"{self._url} does not answer: {error}.") from error
        if status == 404 and missing_is_empty:
            return None
        if status >= 400:
            detail = answer.get("detail", "no reason given")
            raise ServiceError(f"{self._url} answers {status}: {detail}")
        return answer

    def _once(self, method: str, path: str, data: bytes | None) -> tuple[int, dict[str, Any]]:
        self._connection.request(method, self._base + path, data, self._headers)
        response = self._connection.getresponse()
        found = json.loads(response.read() or b"{}")
        return response.status, found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
