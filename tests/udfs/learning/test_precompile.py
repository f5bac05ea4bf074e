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
    settings, done = Settings(), []
    given = io.TextIOWrapper(io.BytesIO(msgspec.json.encode(settings)))
    monkeypatch.setattr(sys, "stdin", given)
    monkeypatch.setattr(sys, "argv", ["precompile", first])
    monkeypatch.setattr(
        Learner, "compile", lambda learner, ranking_first: done.append(ranking_first)
    )
    monkeypatch.setattr(ItemShard, "compile", done.append)
    precompile.main()
    assert done == [first == "ranking", settings]
