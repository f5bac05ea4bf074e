"""The process that compiles for the job, whatever it begins with, takes settings as JSON."""

from __future__ import annotations

import io
import sys

import msgspec
import pytest

from udfs.learning import precompile
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner
from udfs.models.settings import Settings


@pytest.mark.parametrize("first", ["learning", "ranking"])
def test_the_learners_compile_for_the_settings_that_are_given(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    done: list[object] = []
    given = io.TextIOWrapper(io.BytesIO(msgspec.json.encode(settings)))
    monkeypatch.setattr(sys, "stdin", given)
    monkeypatch.setattr(sys, "argv", ["precompile", first])
    monkeypatch.setattr(Learner, "compile", lambda learner: done.append(learner.settings))
    monkeypatch.setattr(ItemShard, "compile", done.append)
    for name in ("_learning", "_lists", "_clusters"):
        part = getattr(precompile, name)
        monkeypatch.setattr(
            precompile, name, lambda trial, part=part, name=name: (done.append(name), part(trial))
        )
    precompile.main()
    halves = {"learning": ["_learning", settings, "_clusters"], "ranking": ["_lists"]}
    assert done == [*halves[first], settings, settings], "all of it is done in the end"
