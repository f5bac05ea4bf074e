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
from urllib.parse import quote, urlencode, urlsplit

from udfs.errors import ServiceError
from udfs.events.pseudonyms import Pseudonyms
from udfs.lists.keys import HIDDEN, ITEM, POPULAR, TRENDING, USER, split

_NEEDS_SERVER = "give the address of `millirec serve`"


class Recommender:
    """Reads lists from where they are; one instance serves one thread.

    Args:
        url: `redis://…` as in docs/redis.md, or `http://…` of `millirec serve`; without it,
            REDIS_URL. api_key: of the server. prefix: of the keys in Redis. timeout_s: for an
            answer, in seconds. pseudonym_key: what the job has as MILLIREC_PSEUDONYM_KEY, if
            privacy.pseudonyms is on and the lists are read from Redis.

    Raises:
        ConfigError: the key is too short or too long.

    Example:
        with Recommender("http://127.0.0.1:8080") as shop:
            shop.send([{"user": "alice", "item": "kettle", "type": "click"}])
            shop.recommend("alice", n=3)  # ['teapot', 'mug', 'toaster']
    """

    def __init__(
        self,
        url: str = "",
        api_key: str = "",
        prefix: str = "",
        timeout_s: float = 2.0,
        pseudonym_key: str = "",
    ) -> None:
        url = url or os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
        self._http: _Http | None = None
        self._redis: Any = None
        self._prefix = prefix
        self._pseudonyms = Pseudonyms(pseudonym_key) if pseudonym_key else None
        if urlsplit(url).scheme in ("http", "https"):
            self._http = _Http(url, api_key, timeout_s)
        else:
            from udfs.stores.redis_writer import RedisSettings  # for all of its URLs

            self._redis = RedisSettings(url, timeout_s=timeout_s).client()

    def recommend(
        self, user: str, n: int | None = None, exclude: Iterable[str] = (), where: str = ""
    ) -> list[str]:
        """The user's items, or what is popular; `exclude` are left out before counting `n`.

        Args:
            where: a condition on items, as docs/http.md has it under `filter`.
        """
        left_out = set(exclude)
        ask = {"n": n, "exclude": sorted(left_out)} if where else {}
        items = [entry["item"] for entry in self.list(USER.of(user), where, **ask)["items"]]
        return [item for item in items if item not in left_out][:n]

    def similar(self, item: str, n: int | None = None, where: str = "") -> list[str]:
        """Items like one; none where the item is not known."""
        return [entry["item"] for entry in self.list(ITEM.of(item), where)["items"]][:n]

    def popular(self, n: int | None = None, where: str = "") -> list[str]:
        """What is popular now."""
        return [entry["item"] for entry in self.list(POPULAR.of(), where)["items"]][:n]

    def trending(self, n: int | None = None) -> list[str]:
        """What is taken much more than before; often nothing."""
        return [entry["item"] for entry in self.list(TRENDING.of())["items"]][:n]

    def list(self, name: str, where: str = "", **asked: Any) -> dict[str, Any]:
        """A whole list: `rec:<user>`, `similar:<item>`, `popular` or `trending`.

        A user without a list gets `popular`; an item without one gets an empty list.

        Args:
            where: only items that meet this condition. asked: further parameters of the server.

        Raises:
            ServiceError: no answer, or a condition that cannot be used; only a server takes one.
            redis.RedisError: none of Redis.
        """
        kind, who = split(name)
        if self._http is not None:
            path = "recommend" if kind == USER.key else kind.rstrip(":")
            path += f"/{quote(who, safe='')}" if who else ""
            given = {"filter": where or None, **asked}
            query = urlencode({k: v for k, v in given.items() if v is not None}, doseq=True)
            path += f"?{query}" if query else ""
            found = self._http.ask("GET", f"/{path}", missing_is_empty=kind == ITEM.key)
        elif where:
            raise ServiceError(f"a filter goes by HTTP: {_NEEDS_SERVER}.")
        else:
            if kind == USER.key and self._pseudonyms is not None:
                name = USER.of(self._pseudonyms.of(who))
            keys = [name, POPULAR.key] if kind == USER.key else [name]
            pipeline = self._redis.pipeline(transaction=False)  # MGET is no good in a cluster
            for key in keys:
                pipeline.get(self._prefix + key)
            values = pipeline.execute()
            value = next((value for value in values if value), None)
            found = self._shown(json.loads(value)) if value else None
        return found or {"items": []}

    def _shown(self, found: dict[str, Any]) -> dict[str, Any]:
        """The list without items that may not be shown any more, as the server answers it."""
        from redis import ResponseError

        items = [entry["item"] for entry in found["items"]]
        try:
            out = self._redis.smismember(self._prefix + HIDDEN, items) if items else []
        except ResponseError:  # no right to read it, or a Redis before 6.2
            return found
        found["items"] = [e for e, one in zip(found["items"], out, strict=True) if not one]
        return found

    def send(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send events as docs/events.md has them; returns once they are durable.

        An event without an `id` gets one here, so that what is sent twice counts once.

        Returns: `accepted`, how many, and `rejected`, why others were not.

        Raises:
            ServiceError: no answer, none of them was accepted, or the address is that of Redis.
        """
        whole = [{"id": uuid.uuid4().hex, **event} for event in events]
        return self._server("events go by HTTP or Kafka").ask("POST", "/events", whole) or {}

    def put(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Say what items are, as docs/items.md has it; fields that are left out stay as they are,
        None deletes one. Returns and raises as `send` does.

        Example:
            shop.put([{"item": "kettle", "title": "Copper Kettle", "price": 39.5}])
        """
        found = self._server("items go by HTTP or Kafka").ask("POST", "/items", [*items])
        return found or {}

    def take_away(self, item: str) -> dict[str, Any]:
        """Take an item away, with all that is known of it. Returns and raises as `send` does."""
        path = f"/items/{quote(item, safe='')}"
        return self._server("items go by HTTP or Kafka").ask("DELETE", path) or {}

    def _server(self, why: str) -> _Http:
        if self._http is None:
            raise ServiceError(f"{why}: {_NEEDS_SERVER}.")
        return self._http

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
