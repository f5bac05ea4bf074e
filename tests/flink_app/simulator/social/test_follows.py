from __future__ import annotations

from contextlib import suppress

import msgspec
import numpy as np
import pytest

from flink_app.simulator.social.follows import Follows
from flink_app.simulator.social.settings import SocialSettings
from flink_app.simulator.truth import FACTORS, unit
from udfs.errors import ConfigError
from udfs.events.people import PeopleReader
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_704_067_200_000
TASTES = unit(np.random.default_rng(5).standard_normal((300, FACTORS)).astype(np.float32))


@pytest.fixture
def graph() -> Follows:
    found = Follows(np.random.default_rng(1), 10, 0.8)
    found.grow(TASTES)
    return found


def test_users_follow_others_who_like_the_same_or_are_famous(graph: Follows) -> None:
    numbers = [len(own) for own in graph.of]
    assert 5 <= min(numbers) < 7 and 13 < max(numbers) <= 15
    assert all(user not in own for user, own in enumerate(graph.of))
    alike = np.mean([(TASTES[own] @ TASTES[user]).mean() for user, own in enumerate(graph.of)])
    assert alike > 0.1, "0 if they were drawn without looking at tastes"
    followers = np.bincount(np.concatenate(graph.of), minlength=300)
    famous = np.argsort(-graph.fame)
    assert followers[famous[:30]].mean() > 2 * followers[famous[-100:]].mean()


def test_one_is_dropped_and_another_followed(graph: Follows) -> None:
    before = [own.copy() for own in graph.of]
    graph.lines(NOW)
    graph.change(np.arange(100), 1.0, TASTES)
    for user in range(300):
        old, new = {*before[user].tolist()}, {*graph.of[user].tolist()}
        if user < 100:
            (gone,) = old - new
            likes = TASTES[before[user]] @ TASTES[user]
            assert len(new) == len(old) and gone == before[user][np.argmin(likes)]
        else:
            assert old == new
    assert len(graph.lines(NOW)) == 100
    graph.change(np.arange(100), 0.0, TASTES)
    assert graph.lines(NOW) == []


def test_it_knows_who_follows_whom(graph: Follows) -> None:
    users, authors = np.array([3, 250]), np.tile(np.arange(300), (2, 1))
    found = graph.followed(users, authors)
    for row, user in enumerate(users.tolist()):
        assert np.flatnonzero(found[row]).tolist() == graph.of[user].tolist()


def test_newcomers_follow_too_and_lines_say_so(graph: Follows) -> None:
    assert len(graph.lines(NOW)) == 300
    graph.grow(np.concatenate([TASTES, TASTES[:2]]))
    told = [msgspec.json.decode(line) for line in graph.lines(NOW)]
    assert [line["user"] for line in told] == ["u300", "u301"]
    assert told[0]["kind"] == "profile" and told[0]["ts"] == NOW
    assert told[0]["follows"] == [f"author:u{author}" for author in graph.of[300].tolist()]


def test_a_single_user_follows_nobody() -> None:
    lonely = Follows(np.random.default_rng(1), 10, 0.8)
    lonely.grow(TASTES[:1])
    lonely.change(np.array([0]), 1.0, TASTES[:1])
    assert [own.tolist() for own in lonely.of] == [[]]


def test_as_many_as_may_be_followed_fit_into_a_line_that_is_read() -> None:
    most = 0
    with suppress(ConfigError):
        while SocialSettings(follows=most + 1):
            most += 1
    graph = Follows(np.random.default_rng(1), most, 0.8)
    graph.grow(TASTES)
    lines = [line.decode() for line in graph.lines(NOW)]
    assert max(map(len, graph.of)) > 60
    settings = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
    assert PeopleReader(settings).decode(lines, NOW).rejected == []
