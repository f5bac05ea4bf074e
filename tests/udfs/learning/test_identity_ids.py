"""What the identity operator keeps of ids of which nothing may be kept."""

from __future__ import annotations

from tests.udfs.builders import NOW
from tests.udfs.persons import Town, linked
from udfs.events.people import CONSENT, FORGET, PROFILE, PersonChange


def test_who_opted_out_by_another_id_is_not_learned_from_after_long_silence() -> None:
    town = Town(user_expiry_days=1)
    town.did(*[("anon", f"i{n}") for n in range(3)], ("ann", "x"))
    town.said(linked("anon", "ann", NOW))
    assert town.place("ann") == "anon"
    town.said(PersonChange(CONSENT, "anon", NOW + 1, {"personalise": False}))
    town.later(3 * 86_400_000)
    assert not town.state.ids.data
    town.did(("ann", "y"), ("anon", "y"), ("bob", "y"))
    town.said(PersonChange(PROFILE, "ann", town.now, {"country": "DE"}))
    assert town.events("ann") == town.events("anon") == 0 and town.events("bob") == 1
    assert not any(state.people.get("ann") for state in town.user_states)
    counted = town.counted()
    assert (counted.opted_out, counted.described) == (2, 3)
    town.said(PersonChange(CONSENT, "ann", town.now + 1, {"personalise": True}))
    town.now += 10
    town.did(("ann", "z"))
    assert town.events("ann") == 1


def test_late_events_of_who_was_forgotten_and_those_of_who_opted_out_leave_no_ids() -> None:
    town = Town()
    town.did(("alice-1", "x"), ("bobby-1", "y"), ts=NOW - 5, ids=["alice-1/1", "bobby-1/1"])
    town.said(
        PersonChange(FORGET, "alice-1", NOW),
        PersonChange(CONSENT, "bobby-1", NOW, {"personalise": False}),
    )
    town.did(("alice-1", "x"), ts=NOW - 1, ids=["alice-1/2"])
    town.did(("bobby-1", "x"), ("cid", "x"), ts=NOW + 1, ids=["bobby-1/2", "3"])
    state = repr([part.data for part in town.state[:4]])
    assert "alice-1" not in state and "bobby-1/2" not in state
    assert "alice-1" not in town.identity._ids._cached
    town.did(("cid", "x"), ts=NOW + 1, ids=["3"])
    counted = town.counted()
    assert (counted.refused, counted.opted_out, counted.duplicates, counted.learned) == (1, 1, 1, 3)
