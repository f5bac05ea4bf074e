"""What is said of users: kept in the shard's state, newest first, and their lists made anew."""

from __future__ import annotations

from tests.udfs.builders import NOW, batch_of
from tests.udfs.learning.test_user_step import KEY, Clock, handles, step
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.learning.effects import Write
from udfs.learning.forgotten import Mark
from udfs.state.item_records import fields_of, unpack_record


def test_the_newest_word_of_a_profile_counts_and_its_list_is_written() -> None:
    state = handles()
    users = step(state)
    list(users.batch(KEY, pack(batch_of([("ann", "tea")]))))
    late = PersonChange("profile", "ann", NOW - 5, {"country": "FR", "language": "fr"})
    data = pack_people([PersonChange("profile", "ann", NOW, {"country": "DE"}), late])
    effects = list(users.batch(KEY, data))
    written = [
        updates for effect in effects if isinstance(effect, Write) for updates in effect.updates
    ]
    assert [name for updates in written for name in updates.names] == ["ann"]
    record = unpack_record(state.people.get("ann"), "x")
    assert fields_of(record) == {"country": "DE", "language": "fr"}


def test_what_is_said_is_counted() -> None:
    state = handles()
    users = step(state)
    list(
        users.batch(KEY, pack_people([PersonChange("consent", "bob", NOW, {"personalise": False})]))
    )
    again = step(state)  # as after a restart
    [report] = [e.account for e in again.timer(KEY, 0) if hasattr(e, "account")]
    assert report.described == 1
    shard = again._shards[KEY]
    assert shard.forgotten.of("bob") == Mark(NOW, NOW, False)  # and not a word more
    assert state.people.is_empty()


def test_profiles_of_users_without_events_expire_where_no_lists_are_written_too() -> None:
    clock = Clock()
    state = handles()
    users = step(state, clock, user_expiry_days=1, refresh=False)
    list(users.batch(KEY, pack_people([PersonChange("profile", "bob", NOW, {"country": "DE"})])))
    assert state.people.get("bob") is not None
    for _ in range(8):
        clock.now += 43_200_000
        list(users.timer(KEY, clock.now))
    assert state.people.get("bob") is None
