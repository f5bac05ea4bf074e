"""The shop of docs/lists.md: a user, what she has taken, and what the ranker would show her."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.udfs.builders import NOW, SETTINGS, changed
from tests.udfs.fakes import DictState
from udfs.feed.metadata import described
from udfs.learning.learner import Learner
from udfs.models.content.features import content_vector
from udfs.models.ranked import Told
from udfs.options.rerank import Rerank
from udfs.options.rules import Rule
from udfs.rules.rules import Rules

N = 12
_LANTERNS = "Aurora Beacon Comet Dawn Ember Firefly Glow Halo Ignis Jupiter Kindle Lumen"
_SHELVES = {
    "lanterns": (_LANTERNS, 1.0),
    "stoves": ("Gas-Stove Wood-Stove Spirit-Stove Mini-Stove", 0.46),
    "sleeping": ("Down-Bag Air-Mat Hammock Pillow Liner", 0.44),
    "tents": ("Dome-Tent Tunnel-Tent Tarp", 0.38),
    "kitchen": ("Kettle Mug Pan Knife Filter", 0.36),
    "tools": ("Compass Rope Axe", 0.30),
}
"""Items by category, with the score of the first."""
_HAD = {
    "lanterns": "Old-Lantern",
    "stoves": "Old-Stove",
    "sleeping": "Old-Bag Old-Mat",
    "tents": "Old-Tent",
    "kitchen": "Old-Mug Old-Pan Old-Knife",
}
TAKEN = tuple(" ".join(_HAD.values()).split())
SHOWN = ("Aurora", "Beacon")
"""What she has seen three times, without a click."""


def shop() -> dict[str, tuple[dict[str, Any], float, int]]:
    """By item: its fields, its score, its events."""
    found: dict[str, tuple[dict[str, Any], float, int]] = {}
    for category, (names, first) in _SHELVES.items():
        for n, name in enumerate(names.split()):
            maker = "Valley" if n % 4 == 3 else "Summit"
            fields = {"title": f"{name} {category}", "categories": [category], "provider": maker}
            found[name] = fields, round(first - 0.02 * n, 3), 120 - 9 * n
    for category, had in _HAD.items():
        for name in had.split():
            found[name] = {"title": name, "categories": [category]}, 0.0, 50
    return found


def twelve(
    rerank: Rerank | None = None, rules: list[Rule] | None = None, served: int = 1
) -> list[str]:
    """Her list, after lists were served so many times."""
    own, judged = shop(), Rules(rules or [])
    settings = changed(SETTINGS, length=N, rerank=rerank or Rerank(), rules=rules or [])
    learner = Learner(settings)
    entries = [
        described(item, 1, f, content_vector(f).tobytes(), judged.judge(f, item))
        for item, (f, _, _) in own.items()
    ]
    learner.describe(entries, NOW)
    catalogue, users, steps = learner.catalogue, learner.users, learner.models.steps
    catalogue.events[catalogue.find([*own])] = [events for _, _, events in own.values()]
    slot = users.locate(["alice"], DictState(), DictState(), catalogue)["alice"]
    users.reserve_pages(2)
    users.tail[slot] = users._pages.push(-1, catalogue.find(TAKEN), 0)
    users.fill[slot] = len(TAKEN)
    learner.models.clock_ms = NOW
    slots = np.array([slot], np.int32)
    if not steps.rerank.repeats.idle:
        seen = np.repeat(catalogue.keys[catalogue.find(SHOWN)], 3)
        at = np.full(len(seen), NOW)
        steps.rerank.repeats.see(np.repeat(slots, len(seen)), seen, at)
    order = sorted((name for name in own if name not in TAKEN), key=lambda name: -own[name][1])
    longer = learner.models.shop.settings.lists.length
    items, scores = np.full((1, longer), -1, np.int32), np.full((1, longer), -np.inf, np.float32)
    m = min(len(order), longer)
    items[0, :m] = catalogue.find(order[:m])
    scores[0, :m] = [own[name][1] for name in order[:m]]
    for _ in range(served):
        none = np.full((1, longer, 0), -1, np.int32), np.empty((1, 0), np.int32)
        told = Told(items.copy(), scores.copy(), np.zeros((1, longer), np.int8), *none)
        made = steps.served(told, slots, True)
    return catalogue.names(made.items[0, :N].tolist())
