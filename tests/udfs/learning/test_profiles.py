"""Profiles are loaded with their users, after a restart and an eviction too."""

from __future__ import annotations

from typing import Any

from tests.udfs.builders import batch_of
from tests.udfs.learning.test_user_step import KEY, NOW, Clock, handles, step
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.learning.effects import Write
from udfs.learning.user_step import UserStep


def say(users: UserStep, user: str, **fields: Any) -> list[Any]:
    return list(users.batch(KEY, pack_people([PersonChange("profile", user, NOW, fields)])))


def segments_of(users: UserStep, user: str) -> list[str]:
    learner = users._learner
    segments = learner.models.segments
    return [segments.counts.names[k] for k in segments.profiles.of(learner.users.find(user))]


def test_a_list_is_written_when_a_profile_comes_before_any_event() -> None:
    clock = Clock()
    users = step(handles(), clock)
    list(users.batch(KEY, pack(batch_of([("bob", "tea"), ("eve", "tea")]))))
    clock.now += 60_000  # popularity is looked at again
    [write] = [one for one in say(users, "ann", country="DE") if isinstance(one, Write)]
    [updates] = write.updates
    assert [*updates.names] == ["ann"] and updates.source == "segments"
    assert [update.items for update in updates] == [["tea"]]


def test_a_profile_is_known_after_a_restart() -> None:
    state = handles()
    say(step(state), "ann", country="DE", attributes={"job": "nurse"})
    users = step(state)
    list(users.batch(KEY, pack(batch_of([("ann", "tea"), ("bob", "tea")]))))
    assert segments_of(users, "ann") == ["country:DE", "job:nurse"]
    assert segments_of(users, "bob") == []
    assert users._learner.models.segments.counts.now(1, NOW).sum() == 1


def test_a_change_counts_at_once_and_after_an_eviction() -> None:
    users = step(handles(), user_cache=1)
    say(users, "ann", country="DE")
    say(users, "ann", country=None, language="fr")
    assert segments_of(users, "ann") == ["language:fr"]
    list(users.batch(KEY, pack(batch_of([("bob", "tea")]))))
    assert users._learner.users.find("ann") < 0
    list(users.batch(KEY, pack(batch_of([("ann", "tea")]))))
    assert segments_of(users, "ann") == ["language:fr"]


def test_consent_withdrawn_takes_the_segments_away() -> None:
    users = step(handles())
    say(users, "ann", country="DE")
    no = PersonChange("consent", "ann", NOW + 1, {"personalise": False})
    list(users.batch(KEY, pack_people([no])))
    assert segments_of(users, "ann") == []
