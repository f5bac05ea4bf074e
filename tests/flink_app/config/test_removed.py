"""Options that are gone: each is refused by name, and says what holds instead."""

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.config.registry import OPTIONS
from flink_app.config.removed import REMOVED
from flink_app.data.sinks import DURABLE_S
from flink_app.graph.event_settings import AHEAD_MS
from flink_app.serve.lists import STALE_LISTS
from udfs.errors import ConfigError
from udfs.feed import entries
from udfs.learning.list_step import OVERLOAD_MS
from udfs.learning.settings import ORDINARY
from udfs.models.item_cf import neighbours
from udfs.models.user_cf import consumers
from udfs.ranking import ranker

CONSTANTS = {
    "item_cf": neighbours,
    "user_cf": consumers,
    "ranker": ranker,
    "feed": entries,
}
RENAMED = {
    "user_cf.said": "REACH",
    "user_cf.hermit": "ACTIVITY_SHRINK",
    "user_cf.position_decay": "RECENT",
}
"""Constants whose names are not those of the options."""
NONE_ANY_MORE = "quality.sequential", "ranker.samples"
"""Options of what is not there any more, or was no number."""
RENEWED = {"ranker.train_per_batch": "ranker.train_per_s"}
"""Options with another in their place."""
OTHERS = {
    "events.latest_ahead_s": AHEAD_MS / 1000,
    "lists.overload_ms": OVERLOAD_MS,
    "quality.after": ORDINARY.after,
    "serve.stale_lists": STALE_LISTS,
    "serve.events_timeout_s": DURABLE_S,
}


def value(name: str) -> float | None:
    """What is in force instead of an option; None if it was no number."""
    section, _, key = name.partition(".")
    if section in CONSTANTS and name not in NONE_ANY_MORE:
        found: float = getattr(CONSTANTS[section], RENAMED.get(name, key.upper()))
        return found
    return OTHERS.get(name)


@pytest.mark.parametrize("name", RENEWED)
def test_the_sentence_names_the_option_in_its_place(name: str) -> None:
    assert RENEWED[name] in OPTIONS
    assert RENEWED[name] in REMOVED[name]


@pytest.mark.parametrize("name", sorted(REMOVED.keys() - RENEWED.keys()))
def test_the_sentence_has_the_value_in_force(name: str) -> None:
    sentence, found = REMOVED[name], value(name)
    assert sentence.endswith(".")
    if found is not None:
        words = sentence.replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert f"{found:g}" in words or f"{found:.0f}" in words
    assert (found is None) == (name in NONE_ANY_MORE)
    if found is not None and name.partition(".")[0] in CONSTANTS:
        constant, _, file = sentence.partition(" see ")[2].rstrip(".").partition(" in ")
        module = CONSTANTS[name.partition(".")[0]]
        assert hasattr(module, constant)
        assert str(module.__file__).endswith(file)


@pytest.mark.parametrize("name", REMOVED)
def test_it_is_refused_wherever_it_is_set(name: str, tmp_path: Path) -> None:
    assert name not in OPTIONS
    section, _, key = name.partition(".")
    path, variable = tmp_path / "old.toml", f"MILLIREC_{section}_{key}".upper()
    path.write_text(f"[{section}]\n{key} = 1\n")
    for how, origin in (
        ((path, (), {}), str(path)),
        ((None, [f"{name}=1"], {}), "--set"),
        ((None, (), {variable: "1"}), f"environment {variable}"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(*how)  # type: ignore[arg-type]
        assert str(caught.value).startswith(f"{name} (from {origin}) is no longer an option: ")
        assert REMOVED[name] in str(caught.value)
