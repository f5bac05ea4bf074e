"""The list of all places that hold something of a user is complete, and its options exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from flink_app.config.registry import OPTIONS
from tests.documents import ROOT
from tests.udfs.builders import SETTINGS
from udfs.learning import impersonal, places
from udfs.learning.learner import Learner
from udfs.lists import keys
from udfs.lists.keys import Kind
from udfs.memory.columns import Table

HANDLE = re.compile(r"\b(?:rows|cell|log)\(context, \"(\w+)\"\)")


def handles() -> set[str]:
    """All handles of Flink's state, as the operators open them."""
    found = set()
    for path in (ROOT / "udfs" / "operators").glob("*.py"):
        operator = path.stem.replace("_", " ")
        found |= {f"{operator}: {name}" for name in HANDLE.findall(path.read_text("utf-8"))}
    return found


def attached(table: Table) -> Iterator[str]:
    for each in table.attached:
        yield type(each).__name__
        yield from attached(each)


def test_every_handle_of_state_is_listed_once() -> None:
    listed = [*places.names(places.STATE), *impersonal.NOTHING_IN_STATE]
    assert sorted(listed) == sorted(handles())


def test_every_key_in_redis_is_listed() -> None:
    listed = {*places.names(places.REDIS), *impersonal.NOTHING_IN_REDIS}
    channels = {"CHANNEL"}
    for name, value in vars(keys).items():
        if name.isupper() and name not in channels and isinstance(value, str | Kind):
            key = value.key if isinstance(value, Kind) else value
            assert key in listed or key.removesuffix(":") in listed, f"{name} of udfs.lists.keys"


def test_every_table_that_follows_the_items_or_the_users_is_listed() -> None:
    learner = Learner(SETTINGS)
    listed = {*places.names(places.MEMORY), *impersonal.NOTHING_IN_TABLES}
    assert set(attached(learner.catalogue)) <= listed
    own = set(attached(learner.users))  # cleared with their users
    assert own <= places.names(places.MEMORY)


@pytest.mark.parametrize("place", places.PLACES, ids=lambda place: place.names[0])
def test_the_option_of_a_place_exists(place: places.Place) -> None:
    assert not place.option or place.option in OPTIONS


def test_the_documentation_has_the_table() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    assert "\n".join(places.table()) in page
