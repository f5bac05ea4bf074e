"""A source, a feature, a table, a column and a store from outside, each registered in one line, in
one job: in a process of their own, since what is registered stays."""

from __future__ import annotations

import subprocess
import sys

from tests.documents import ROOT

_PROGRAM = """
import sys
from udfs.options import sources  # before the configuration, which has a section for each
sources.register(sources.Source(name="last", code="tests.seams.last:Last", prior=3.0,
    about="what came right after", shown="came after it", options="tests.seams.last:LastOptions"))

import json
import msgspec
import redis
from tests.seams import last
from udfs.events import columns
from udfs.ranking import features
from udfs.stores import table

class Kept:
    lists = {}
    def __init__(self, settings, writer): pass
    def write(self, updates):
        for some in updates:
            self.lists.update({update.kind.of(update.name): update.json for update in some})
    def erase(self, users): pass
    def close(self): pass

features.register(features.Feature("even", 0.0, "popular", lambda _: last.Even(1.0)))
columns.register(columns.Column("screen", str, fill=""))
table.register("kept", Kept)

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from tests.udfs.flink import Subtask
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.operators.flink import DEAD_LETTERS, STATS, now_ms
from udfs.operators.parse import Parse
from udfs.operators.user_learner import UserLearner
from udfs.accounts import Account, fields, unpack_account

url = sys.argv[1]
config = load(None, [f"redis.url={url}", "last.strength=2.0", "quality.every=1",
                     "quality.models=['last']", "lists.length=5"], {}).config
devices = []
learn = Learner.learn
def watched(self, batch, *more, **others):
    devices.extend(batch.column("screen"))
    return learn(self, batch, *more, **others)
Learner.learn = watched

keys = {"user learner": [7], "item learner": [9]}
parse = Subtask(Parse(decode_settings(config), keys, "", False))
learner = Subtask(UserLearner(JobSettings(options=config.settings, item_keys=[0])))
total = Account()

def count(out):
    for tag, account in out:
        if tag is STATS:
            total.add(unpack_account(account))

def take(*lines):
    batch = json.dumps([json.dumps(line) for line in lines])
    for tag, value in parse.process(0, ("0", batch, now_ms())):
        assert tag is not DEAD_LETTERS, value
        if tag is STATS:
            continue
        count(learner.process(tag, (tag, value)))

del devices[:]  # those of `compile`
for n in range(30):
    user = f"u{n % 10}"
    take({"user": user, "item": f"i{2 * n}", "screen": "phone"},
         {"user": user, "item": f"i{2 * n + 1}"})
for n in range(10):  # from what is known the ranker learns
    take({"user": f"u{n}", "item": f"i{2 * (n + 1)}"})
take({"user": "eve", "item": "i4", "screen": "tv"})
count(learner.fire(now_ms() + 1000))
assert devices[-1] == "tv" and set(devices) == {"phone", "", "tv"}, devices

client = redis.Redis.from_url(url)
found = msgspec.json.decode(client.get("rec:eve"))
why = {entry["item"]: entry["why"] for entry in found["items"]}
assert why["i5"] == {"model": "last", "because": ["i4"]}, found
held = {key.decode(): client.get(key) for key in client.scan_iter("rec:*")}
assert len(held) == 11 and all(Kept.lists[key] == value for key, value in held.items())
shown = fields(total, Account(), 1, Account(), 0, {})
assert int(float(shown["total_quality:last:tests"])) > 0, shown
names = [feature.name for feature in features.features()]
w = learner.operator.learner.models.ranker.w
assert w[names.index("even")] > 0, "the feature is learned: even items are taken"
"""


def test_in_one_job(redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, redis_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
