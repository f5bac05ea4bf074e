"""Whose event it is when a line names a session and no user: the session's own.

In: the fields of lines as read. Out: ids of users such as `session:s1`. Whoever writes that id, in
a line about users or in a look-up, means the same. Beside a user a session is nothing, usable or
not, unless a registered column reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.events.columns import SESSION as FIELD
from udfs.events.columns import registered
from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import Problem, RawColumns
from udfs.events.times import MISSING
from udfs.events.whole_ids import SESSION, GivenId

_NO_NUMBER = MISSING | {"na"}
"""What stands for a missing user where all users are numbers."""


def users_of(
    users: Sequence[GivenId],
    sessions: Sequence[Any],
    problems: dict[int, Problem],
    *,
    integers: bool = False,
) -> list[GivenId]:
    """The user of each of n lines: as given, else that of its session, if it has one.

    Args:
        sessions: anything; what is neither text nor a whole number is added to `problems`, by row,
            where it would have to stand for the user.
        integers: whether ids of users are whole numbers, so that `NaN` is none.

    >>> problems = {}
    >>> users_of(["ann", "", None, None, None], ["s1", "s1", 7, None, 1.5], problems)
    ['ann', 'session:s1', 'session:7', None, None]
    >>> problems
    {4: ('wrong_type', 'the session is 1.5: sessions are text or whole numbers')}
    """
    found: list[GivenId] = []
    for row, (user, session) in enumerate(zip(users, sessions, strict=True)):
        if session is None or session == "" or _is_given(user, integers):
            found.append(user)
        elif _is_usable(session):
            found.append(f"{SESSION}{session}")
        else:
            what = repr(session) if isinstance(session, float) else kind_of(session)
            why = f"the session is {what}: sessions are text or whole numbers"
            problems.setdefault(row, ("wrong_type", why))
            found.append(None)
    return found


def name_users(raw: RawColumns, *, integers: bool = False) -> None:
    """Give each row of `raw` without a user that of its session; rows without both stay."""
    sessions: Sequence[Any] | None = raw.fields.get(FIELD)
    if sessions is None:
        return
    users: Sequence[GivenId] = raw.fields.get("user") or [None] * len(sessions)
    if not all(_is_given(user, integers) for user in {*users}):
        raw.fields["user"] = users_of(users, sessions, raw.problems, integers=integers)
    if FIELD in registered():
        raw.fields[FIELD] = [one if _is_usable(one) else None for one in sessions]


def _is_given(user: GivenId, integers: bool) -> bool:
    if user is None or user == "":
        return False
    return not (integers and str(user).strip().lower() in _NO_NUMBER)


def _is_usable(session: Any) -> bool:
    return isinstance(session, str | int) and not isinstance(session, bool)
