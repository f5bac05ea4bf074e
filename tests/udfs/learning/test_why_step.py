"""Questions why, as lines: answered under the user's own key, and by nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.udfs.builders import NOW
from tests.udfs.learning.test_rights_step import ANN, events, held, said
from tests.udfs.learning.test_user_step import KEY, Clock, handles, step
from udfs.learning import why_step
from udfs.learning.effects import Answer, Emit, Wake, Write
from udfs.learning.user_step import UserStep
from udfs.lists.keys import WHY, digest


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.learning.learn_step._REPORT_S", 600.0)


def answer(users: UserStep, item: str, user: str = ANN, **fields: Any) -> dict[str, Any]:
    question = said("why", user, NOW + 7, item=item, **fields)
    effects = list(users.batch(KEY, question))
    assert not [one for one in effects if isinstance(one, Write | Emit)]
    [found] = [one for one in effects if isinstance(one, Answer)]
    assert found.key == WHY + digest(fields.get("asked", user))
    assert found.expiry_s == 600
    told: dict[str, Any] = msgspec.json.decode(found.value)
    return told


def test_the_answer_is_under_the_users_key_and_names_the_question() -> None:
    users = step(handles(), test_every=0)
    list(users.batch(KEY, events("bob", 9)))
    list(users.batch(KEY, events(ANN, 4)))
    found = answer(users, "item 7")
    assert (found["user"], found["item"], found["ts"]) == (ANN, "item 7", NOW + 7)
    assert found["list"]["place"]
    assert [one["item"] for one in found["events"]] == [f"item {n}" for n in (3, 2, 1, 0)]


def test_whoever_is_unknown_stays_unknown() -> None:
    state = handles()
    users = step(state, test_every=0)
    list(users.batch(KEY, events("bob", 2)))
    before = held(state)
    assert answer(users, "item 1")["facts"] == [{"fact": "unknown_user"}]
    assert ANN.encode() not in held(state)
    assert len(held(state)) - len(before) < 20  # that a line was read is counted
    list(users.batch(KEY, events(ANN, 2)))
    list(users.batch(KEY, said("forget")))
    assert answer(users, "item 1")["facts"] == [{"fact": "unknown_user"}]


def test_another_id_of_a_person_gets_the_answer_under_that_id() -> None:
    users = step(handles(), test_every=0)
    list(users.batch(KEY, events(ANN, 2)))
    assert answer(users, "item 1", asked="anon")["user"] == "anon"


def test_there_is_only_so_much_time_for_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    users = step(handles(), clock, test_every=0)
    list(users.batch(KEY, events(ANN, 2)))
    most = int(why_step.PER_S * 10)
    answers = [answer(users, "item 1") for _ in range(most + 1)]
    assert [one.get("busy", False) for one in answers] == [False] * most + [True]
    assert "facts" not in answers[-1]
    clock.now += 1_000
    assert "busy" not in answer(users, "item 1")


def test_questions_wake_nobody() -> None:
    users = step(handles(), test_every=0)
    list(users.batch(KEY, events(ANN, 2)))
    again = list(users.batch(KEY, said("why", item="item 1")))
    assert not [one for one in again if isinstance(one, Wake)]
