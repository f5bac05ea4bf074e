"""What the simulated shop says about its items: item events that agree with its truth.

In: the numbers of items, their words and vectors. Out: the fields of an item, as docs/items.md
names them, and lines of JSON without a newline: `{"kind":"item","item":"i204","ts":…,"title":…}`.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.drawings import data_url, drawing
from flink_app.simulator.shop.names import CATEGORIES, LOOKS, NOUNS, TRAITS

_DAY_MS = 86_400_000
_YEAR = 365
_PRICES = (24, 18, 12, 60, 32, 15, 28, 54, 26, 21, 46, 19)
"""What an item of each category costs in the middle, EUR."""
_encode = msgspec.json.Encoder().encode


class Telling(msgspec.Struct, frozen=True):
    """What is said about items beyond their words: their pictures, their vectors."""

    images: bool = False
    vectors: bool = False


PLAIN = Telling()


def fields(
    catalogue: Catalogue, number: int, published: int, telling: Telling = PLAIN
) -> dict[str, Any]:
    """All that the shop says about item `number`.

    published: milliseconds since 1970. The vector is the item's own, rounded, the image a data URL.
    """
    wording = catalogue.wording
    kind, words = number % len(CATEGORIES), wording.words
    noun, look = NOUNS[CATEGORIES[kind]][words.nouns[number]], LOOKS[words.looks[number]]
    first, second, third = (TRAITS[trait] for trait in words.traits[number])
    maker = wording.maker(number)
    told: dict[str, Any] = {
        "title": wording.title(number),
        "text": f"{first.capitalize()}, {second} and {third}: {look.lower()} {noun.lower()} by "
        f"{maker}.",
        "categories": [CATEGORIES[kind]],
        "tags": [noun.lower(), look.lower(), first, second, third],
        "price": price(catalogue, number),
        "currency": "EUR",
        "provider": maker,
        "available": bool(catalogue.available[number]),
        "published": published,
        "attributes": {"look": look.lower()},
    }
    if telling.images:
        told["image"] = data_url(drawing(kind, int(words.looks[number]), number))
    if telling.vectors:
        told["vector"] = [round(float(one), 4) for one in catalogue.vectors[number]]
    return told


def price(catalogue: Catalogue, number: int) -> float:
    """What item `number` costs, EUR: about as much as others of its category."""
    middle, dearness = _PRICES[number % len(CATEGORIES)], catalogue.wording.dearness[number]
    return round(middle * math.pow(4.0, float(dearness)) - 0.05, 1)


def long_ago(number: int, now_ms: int) -> int:
    """When an item that was there from the beginning was published: a month to a year before."""
    return now_ms - (30 + number * 37 % (_YEAR - 30)) * _DAY_MS


def encode_item(number: int, ts: int, told: dict[str, Any]) -> bytes:
    """One item event as a line of JSON without its newline; ts: milliseconds since 1970.

    >>> encode_item(2, 1704067200000, {"available": False})
    b'{"kind":"item","item":"i2","ts":1704067200000,"available":false}'
    """
    return _encode({"kind": "item", "item": f"i{number}", "ts": ts, **told})
