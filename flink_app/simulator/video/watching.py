"""How users watch videos: sessions, some of which go on where the last one was left.

In: the library, who watches and what they have watched, and a seeded generator. Out: `Watches`,
with the moment of each in steps of browsing (one step passes between two videos of a session).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import joined
from flink_app.simulator.sessions import lengths, moments, pick
from flink_app.simulator.video.library import Library
from flink_app.simulator.video.lines import FAVOURITE, RATING, WATCH, Watches
from flink_app.simulator.video.truth import WATCHED, favourites, fractions, stars
from flink_app.simulator.video.viewers import Viewers

_CHOOSY = 6.0  # inverse temperature of the choice from a shelf
_FOCUSED = 4.0  # inverse temperature of the choice of a genre
_RESUMED = 0.5  # how often a session begins with what was left


def watch(
    random: np.random.Generator,
    library: Library,
    viewers: Viewers,
    users: NDArray[np.int64],
    tastes: NDArray[np.float32],
    first_session: int,
    session_videos: float,
) -> tuple[Watches, NDArray[np.float64]]:
    """One complete session of each of the given (different) users.

    A session looks for one genre g, drawn with P(g) ∝ exp(4 taste · centre(g)). Each video is
    chosen from a shelf and the episode that is next with P(i) ∝ exp(6 a(i)), a the true affinity
    with what `Viewers.lift` adds. What the users watch is noted in `viewers`.

    users: (n,) int64. tastes: (n, FACTORS) float32, theirs. first_session: number of the first
    session. session_videos: mean of the geometric length, at least 1. Returns the actions, and
    their moments, float64 steps from 0.
    """
    videos = lengths(random, len(users), session_videos)
    heads = np.cumsum(videos) - videos
    wanted = pick(random, _FOCUSED * tastes @ library.centres.T)
    total = int(videos.sum())
    items, watched = np.empty(total, np.int64), np.empty(total, np.float64)
    for step in range(int(videos.max(initial=0))):
        rows = np.flatnonzero(videos > step)
        found = _choose(random, library, viewers, users[rows], tastes[rows], wanted[rows])
        if step == 0:
            found = _resume(random, viewers, users[rows], *found)
        viewers.note(users[rows], *found)
        items[heads[rows] + step], watched[heads[rows] + step] = found
    owner = np.repeat(np.arange(len(users)), videos)
    kinds = np.full(total, WATCH)
    watches = Watches(users[owner], items, kinds, first_session + owner, watched)
    when = moments(random, videos, session_videos)
    return _told(random, library, watches, when, tastes[owner])


def _choose(
    random: np.random.Generator,
    library: Library,
    viewers: Viewers,
    users: NDArray[np.int64],
    tastes: NDArray[np.float32],
    wanted: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The video that each of n users begins, and the watched fraction."""
    shelves, following = library.shelves(wanted), viewers.following[users]
    last = np.where(following < 0, shelves[:, 0], following)
    seen = np.concatenate([shelves, last[:, None]], axis=1)
    affinity = library.affinity(tastes, seen) + viewers.lift(users, seen)
    rows, chosen = np.arange(len(users)), pick(random, _CHOOSY * affinity)
    return seen[rows, chosen], fractions(random, affinity[rows, chosen])


def _resume(
    random: np.random.Generator,
    viewers: Viewers,
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    watched: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The same, but some users watch what they have begun to its end instead."""
    begun = viewers.begun[users]
    again = (begun >= 0) & (random.random(len(users)) < _RESUMED)
    rest = np.round(1.0 - (1.0 - WATCHED) * random.random(len(users)), 3)
    return np.where(again, begun, items), np.where(again, rest, watched)


def _told(
    random: np.random.Generator,
    library: Library,
    watches: Watches,
    when: NDArray[np.float64],
    tastes: NDArray[np.float32],
) -> tuple[Watches, NDArray[np.float64]]:
    """The watches, then what users say of them: ratings and favourites, soon after each.

    The stars follow the affinity itself, not that an episode was next. tastes: (n, FACTORS) float32
    of the user of each watch. when: (n,) float64, the moment of each.
    """
    affinity = library.affinity(tastes, watches.items[:, None])[:, 0]
    given = stars(random, affinity)
    liked = np.flatnonzero(favourites(random, affinity, watches.values))
    rated = np.flatnonzero(given)
    actions, times = watches, [when]
    for rows, kind, values in (
        (rated, RATING, given[rated].astype(np.float64)),
        (liked, FAVOURITE, np.zeros(len(liked))),
    ):
        kinds, of = np.full(len(rows), kind), watches.take(rows)
        actions = joined(actions, Watches(of.users, of.items, kinds, of.sessions, values))
        times.append(when[rows] + 0.1 * kind)  # before the next video, 0.5 steps later
    return actions, np.concatenate(times)
