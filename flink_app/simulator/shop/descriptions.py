"""What the simulated shop says about its items, which agrees with its truth.

In: the numbers of items, their words and vectors. Out: the fields of an item, as docs/items.md
names them.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.drawings import data_url, drawing
from flink_app.simulator.shop.names import CATEGORIES, LOOKS, NOUNS, TRAITS

_PRICES = (24, 18, 12, 60, 32, 15, 28, 54, 26, 21, 46, 19)
"""What an item of each category costs in the middle, EUR."""


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
