from __future__ import annotations

import numpy as np

from flink_app.simulator.people import People
from flink_app.simulator.video.library import NONE, Library
from flink_app.simulator.video.lines import FAVOURITE, RATING, WATCH, Watches
from flink_app.simulator.video.truth import PEEK, WATCHED
from flink_app.simulator.video.viewers import Viewers
from flink_app.simulator.video.watching import watch

USERS = 800


def sessions(count: int) -> tuple[Library, People, list[tuple[Watches, np.ndarray]]]:
    """Everybody's sessions, one after the other, with the moments of the actions."""
    random = np.random.default_rng(11)
    library = Library(random, 500, 0.8, 0.6)
    people, viewers = People(random, USERS, library.centres), Viewers(library)
    viewers.grow(USERS)
    everybody, found = np.arange(USERS), []
    for number in range(count):
        found.append(watch(random, library, viewers, everybody, people.tastes, number * USERS, 3.0))
    return library, people, found


def test_everybody_has_one_session_of_about_the_mean_length() -> None:
    _, _, [(actions, moments)] = sessions(1)
    assert np.array_equal(actions.users, actions.sessions)
    videos = np.bincount(actions.users[actions.kinds == WATCH], minlength=USERS)
    assert videos.min() == 1
    assert 2.7 < videos.mean() < 3.3
    assert len(actions) == len(moments)


def test_what_users_say_of_a_video_follows_its_watch() -> None:
    _, _, [(actions, moments)] = sessions(1)
    watched: dict[tuple[int, int], float] = {}
    said = set()
    for row in np.argsort(moments, kind="stable").tolist():
        key, kind = (int(actions.users[row]), int(actions.items[row])), int(actions.kinds[row])
        if kind == WATCH:
            watched[key] = float(actions.values[row])
            continue
        said.add(kind)
        assert key in watched
        if kind == RATING:
            assert actions.values[row] in (1, 2, 3, 4, 5)
        else:
            assert watched[key] >= WATCHED
    assert said == {RATING, FAVOURITE}


def test_series_are_watched_in_order_far_more_often_than_not() -> None:
    library, _, found = sessions(6)
    ended: set[tuple[int, int]] = set()
    ready = middle = 0
    for actions, moments in found:
        for row in np.argsort(moments, kind="stable").tolist():
            user, item = int(actions.users[row]), int(actions.items[row])
            if actions.kinds[row] != WATCH:
                continue
            before = int(library.before[item])
            if before != NONE:
                ready += (user, before) in ended
                middle += (user, before) not in ended
            if actions.values[row] >= WATCHED:
                ended.add((user, item))
    assert ready > 4 * middle > 0


def test_half_of_what_was_left_is_watched_to_its_end_in_the_next_session() -> None:
    _, _, [(before, _), (after, _)] = sessions(2)
    resumed = left = 0
    for user in range(USERS):
        rows = np.flatnonzero((before.users == user) & (before.kinds == WATCH))
        part = before.values[rows]
        open_ = rows[(part >= PEEK) & (part < WATCHED)]
        later = before.items[rows[-1]]
        if not len(open_) or open_[-1] != rows[-1]:
            continue
        first = np.flatnonzero((after.users == user) & (after.kinds == WATCH))[0]
        left += 1
        resumed += after.items[first] == later and after.values[first] >= WATCHED
    assert left > 50
    assert 0.35 < resumed / left < 0.65
