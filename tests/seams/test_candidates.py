"""A source and a feature from outside, as somebody adds them: in a process of their own, since
what is registered stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_START = """
from udfs.options import sources

sources.register(sources.Source(name="last", code="tests.seams.last:Last", prior=3.0,
    about="what came right after", shown="came after it", options="tests.seams.last:LastOptions"))

from tests.seams.last import Even
from udfs.ranking import features as table

table.register(table.Feature("even", 0.0, "popular", lambda _: Even(1.0)))

import numpy as np, msgspec
from tests.udfs.builders import NOW, OneShard, batch_of
"""

_PROGRAMS = {
    "its items are in lists, with its reason": """
shard = OneShard(length=5)
for n in range(30):
    user = f"u{n % 10}"
    shard.learn(batch_of([(user, f"i{2 * n}"), (user, f"i{2 * n + 1}")]))
shard.learn(batch_of([("eve", "i4")]))
value = shard.lists("eve")["rec:eve"]
named = {entry["item"]: entry["why"] for entry in value["items"]}
assert named["i5"] == {"model": "last", "because": ["i4"]}, value
((source, _, lists),) = shard.learner.models.rank(shard.slots("eve"), NOW, "last")
catalogue = shard.learner.catalogue
assert (source, catalogue.ids[lists.items[0, 0]]) == ("last", "i5")
""",
    "its table follows the catalogue": """
shard = OneShard(length=5)
shard.learn(batch_of([("ann", "a"), ("ann", "b")]), NOW)
table = shard.learner.models.sources["last"].after
a, b = shard.learner.catalogue.find(["a", "b"]).tolist()
assert table.following[a] == b + 1
shard.learner.expire_items(NOW + 1)
assert table.following[a] == 0
""",
    "it is tested, and in stats": """
from udfs.learning.quality import Quality
from udfs.options.sources import testable
assert testable()[-1] == "last"
shard = OneShard(length=5)
shard.learn(batch_of([("ann", "a"), ("ann", "b"), ("bob", "a"), ("eve", "c")]))
quality = Quality(1, ["last"])
totals, _ = quality.test(shard.learner, batch_of([("bob", "b")]), shard.rows, shard.history, 0, NOW)
assert totals["last:tests"] == totals["last:recall@1"] == 1.0, totals
from udfs.accounts import Account, fields
found = fields(Account(quality=totals), Account(), 1, Account(), 0, {})
assert found["total_quality:last:recall@1"] == "1"
""",
    "it is a choice and a section of the configuration": """
import pickle
from flink_app.config import load
from flink_app.evaluate.evaluation import SERVABLE
from flink_app.serve.page_routes import reasons
config = load(None, ["lists.model=last", "last.strength=2.0"], {}).config
assert config.lists.model == "last" and config.last.strength == 2.0
assert pickle.loads(pickle.dumps(config.settings)).of("last").strength == 2.0
assert "last" in SERVABLE and "came after it" in reasons()
from flink_app.config.registry import OPTIONS
assert OPTIONS["last.strength"].sentence == "The evidence of one item."
""",
    "the feature is learned": """
from udfs.ranking.features import features
names = [feature.name for feature in features()]
at, size = names.index("even"), len(names)
shard = OneShard(length=5)
random = np.random.default_rng(1)
shard.learn(batch_of([("all", f"i{n}") for n in range(100)]))
for _ in range(60):
    shard.learn(batch_of([(f"u{random.integers(20)}", f"i{2 * random.integers(50)}")] * 1))
w = shard.learner.models.ranker.w
assert len(w) == 2 * size and w[at] + -0.5 * w[size + at] > 0.5, w
""",
}


@pytest.mark.parametrize("name", _PROGRAMS)
def test_a_toy(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _START + _PROGRAMS[name]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
