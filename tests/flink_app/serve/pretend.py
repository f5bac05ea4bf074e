"""Stands for the job where the page is tested without it: reads the inbox, writes lists.

In: a Redis, a folder, what the items are. Out: the keys of docs/redis.md, moved by each event: the
list goes to the categories that were taken, and leaves out what was; by each search, to the items
with its words; and to what is published after the start, by others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import redis

from flink_app.simulator import Shop, ShopSettings
from udfs.lists.keys import KNOWN, RECEIPT, WHY, digest

ITEMS = 120
OLD = 114
"""The items that have long been there; the others are new."""


def shop(now_ms: int) -> dict[str, dict[str, Any]]:
    """What the simulated shop says of its items, of which the last ones are new."""
    world = Shop(ShopSettings(users=1, items=ITEMS))
    told = {item: world.item(item, now_ms) for item in (f"i{number}" for number in range(ITEMS))}
    for number in range(OLD, ITEMS):
        told[f"i{number}"]["published"] = now_ms
    return told


class Job:
    """Context manager: pretends to be a job until it is left.

    items: what is said of each, at a moment in ms; ids and numbers as of `shop`.
    """

    def __init__(
        self, url: str, inbox: Path, items: Callable[[int], dict[str, dict[str, Any]]] = shop
    ) -> None:
        self._client = redis.Redis.from_url(url)
        self.inbox = inbox
        self._taken: dict[str, list[str]] = {}
        self._words: dict[str, set[str]] = {}
        self._follows: dict[str, list[str]] = {}
        self._told = items(time.time_ns() // 1_000_000)
        self._same: dict[str, str] = {}
        self.heard: list[dict[str, Any]] = []
        """The lines that were read, as the server wrote them."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Job:
        inbox_items = list(self._told)
        for item, told in self._told.items():
            self._client.set(f"item:{item}", msgspec.json.encode(told))
            like = [other for other in inbox_items if other != item and self._alike(item, other)]
            self._write(f"similar:{item}", like[:20], "item-cf", {"item": item})
        self._write("popular", inbox_items[:20], "popular", {})
        self._write("trending", inbox_items[30:36], "trending", {})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    @staticmethod
    def _alike(one: str, other: str) -> bool:
        number, another = one[1:], other[1:]
        return number.isdecimal() and another.isdecimal() and (int(number) - int(another)) % 12 == 0

    def _run(self) -> None:
        read: set[Path] = set()
        looked = 0.0
        while not self._stop.wait(0.01):
            for file in sorted(set(self.inbox.glob("[0-9]*")) - read):
                read.add(file)
                for line in file.read_bytes().splitlines():
                    self.heard.append(msgspec.json.decode(line))
                    self._learn(self.heard[-1])
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                self._tell(len(read))

    def _learn(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "item":
            told = self._told[event["item"]] = self._told.get(event["item"], {}) | event
            self._client.set(f"item:{event['item']}", msgspec.json.encode(told))
            return
        user = self._place(str(event["user"]))
        if kind:
            self._hear(kind, user, event)
            return
        taken = self._taken.setdefault(user, [])
        if event.get("type") == "search":
            self._words[user] = set(str(event["query"]).lower().split())
        else:
            taken.append(str(event["item"]))
        self._list(user)

    def _list(self, user: str) -> None:
        taken = self._taken.setdefault(user, [])
        weight = {item: 3.0 - n / ITEMS if n >= ITEMS else 1.0 - n / ITEMS
                  for n, item in enumerate(self._told)}  # fmt: skip
        for gone in taken:
            for other in weight:
                weight[other] += 1.0 if self._alike(gone, other) else 0.0
            weight.pop(gone, None)
        words = self._words.get(user, set())
        for item in weight:
            told = self._told[item]
            weight[item] += 2.0 * len(words.intersection(told.get("tags", ())))
            weight[item] -= 99.0 if told.get("provider") == user else 0.0
        best = sorted(weight, key=lambda one: -weight[one])[:20]
        self._write(f"rec:{user}", best, "item-cf", {"user": user}, taken)
        self._client.publish("rec", user)

    def _place(self, user: str) -> str:
        return self._same.get(user, user)

    def _hear(self, kind: str, user: str, line: dict[str, Any]) -> None:
        """Take what is said of a user; a visitor who logs in becomes the account."""
        ts, asked = int(line["ts"]), str(line["user"])
        if kind == "link":
            self._same[user] = self._place(str(line["to"]))
            taken = self._taken.pop(user, [])
            self._taken.setdefault(self._same[user], []).extend(taken)
            for item in taken[-1:]:
                self._taken[self._same[user]].remove(item)
                self._learn({"user": user, "item": item})
        elif kind == "forget":
            self._taken.pop(user, None)
            self._client.delete(f"rec:{user}")
            until = "2031-05-06T00:00:00.000Z"
            receipt = {"ts": ts, "checkpoints_until": until, "source_until": until}
            self._client.set(RECEIPT + digest(asked), msgspec.json.encode(receipt))
            self._client.publish("rec", user)
        elif kind == "profile":
            self._follows[user] = line["follows"]
            self._list(user)
        elif kind == "why":
            item, taken = str(line["item"]), self._taken.get(user, [])
            answer: dict[str, Any] = {
                "ts": ts, "user": asked, "item": item, "facts": [], "without": taken[-1:],
                "list": {"source": "ranker", "length": 20, "place": 2},
                "why": {"model": "item-cf", "because": taken[-1:]},
                "ranker": {"parts": [{"feature": "item-cf", "adds": 1.5}]},
                "events": [{"item": one, "place": None} for one in reversed(taken)],
            }  # fmt: skip
            self._client.set(WHY + digest(asked), msgspec.json.encode(answer))
        elif kind == "export":
            known: dict[str, Any] = {"ts": ts, "user": asked, "personalise": True}
            if others := [one for one, place in self._same.items() if place == user]:
                known["ids"] = [{"id": one, "events": 0} for one in (*others, user)]
            if taken := self._taken.get(user):
                history = [{"item": item, "liked": True} for item in reversed(taken)]
                known |= {"events": len(taken), "history": history}
            if follows := self._follows.get(user):
                known["said"] = {"follows": follows}
            self._client.set(KNOWN + digest(asked), msgspec.json.encode(known))

    def _write(
        self, key: str, items: list[str], model: str, head: dict[str, str],
        taken: list[str] | None = None,
    ) -> None:  # fmt: skip
        at = time.time_ns() // 1_000_000
        words = self._words.get(head.get("user", ""), set())
        entries: list[dict[str, Any]] = []
        for place, item in enumerate(items):
            why: dict[str, Any] = {"model": model}
            because = [one for one in taken or () if self._alike(one, item)][-2:]
            provider = f"author:{self._told.get(item, {}).get('provider')}"
            if provider in self._follows.get(head.get("user", ""), ()):
                why = {"model": "social", "followed": provider}
            elif taken is not None and because:
                why["because"] = because
            elif words and words.intersection(self._told[item].get("tags", ())):
                why["model"] = "content"
            elif taken is not None:
                why["model"] = "popular"
            entries.append({"item": item, "score": round(1 - place / 40, 4), "why": why})
        number = f"-{len(taken):x}" if taken is not None else ""
        source = "ranker" if taken is not None else model
        value = {**head, "id": f"{at:x}{number}", "at": at, "v": 1, "source": source}
        self._client.set(key, msgspec.json.encode({**value, "items": entries}))

    def _tell(self, events: int) -> None:
        wave = (time.time() % 20) / 20
        stats = {
            "at": time.time_ns() // 1_000_000, "received": 24_000 + events, "learned": 23_990,
            "dead": 7, "dead:not_json": 4, "dead:missing_item": 2, "dead:unknown_type": 1,
            "duplicates": 3, "users": 600, "items": ITEMS, "events_per_s": round(480 + 40 * wave),
            "lists_per_s": round(350 + 30 * wave), "freshness_p50_ms": 31 + 5 * wave,
            "freshness_p99_ms": 74 + 20 * wave, "quality:served:recall@10": 0.31 + 0.03 * wave,
            "quality:popular:recall@10": 0.12, "quality:served:ndcg@10": 0.19 + 0.02 * wave,
            "quality:popular:ndcg@10": 0.06, "quality:served:novelty@10": 8.4 - wave,
            "quality:popular:novelty@10": 5.2, "total_quality:served:coverage@10": 0.71,
            "total_quality:popular:coverage@10": 0.09,
        }  # fmt: skip
        for place, clicks in ((1, 90), (2, 40), (10, 12)):
            stats[f"attribution:position:{place}:views"] = 400
            stats[f"attribution:position:{place}:clicks"] = clicks
        stats |= {"attribution:model:item-cf:views": 1200, "attribution:model:item-cf:clicks": 142}
        for name, views, clicks in (("gender:F", 400, 20), ("age_band:56+", 40, 2)):
            stats |= {f"attribution:segment:{name}:views": views}
            stats |= {f"attribution:segment:{name}:clicks": clicks}
        self._client.hset("stats", mapping={k: str(v) for k, v in stats.items()})
