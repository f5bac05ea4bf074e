"""Profiles of users for an evaluation, as user learners know them before the first event.

In: files with a line about each user: JSON of kind `profile`, or MovieLens' u.user, `id|age|gender|
occupation|postal code`. Out: packed changes, which `Trial` hands to the user learners.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from flink_app.config import Config
from flink_app.config.pseudonyms import pseudonyms_of
from flink_app.data.recorded import read_blocks
from flink_app.graph.event_settings import decode_settings
from udfs.errors import SourceError
from udfs.events.people import PROFILE, PeopleReader, pack_people, renamed

_AGES = (0, 18, 25, 35, 45, 50, 56)
"""Where the age bands begin: those that later MovieLens sets have instead of ages."""
_USER = re.compile(r"(\w+)\|(\d{1,3})\|(\w)\|(\w+)\|[^|]*")


def user_entries(config: Config, files: Sequence[Path], now_ms: int) -> tuple[int, list[bytes]]:
    """How many users the files say something of, and what; unusable lines are left out.

    Raises:
        SourceError: a file cannot be read, or there is no profile in any.
    """
    reader, pseudonyms = PeopleReader(decode_settings(config)), pseudonyms_of(config)
    users: set[str] = set()
    entries = []
    for block in read_blocks(files) if files else ():
        found = reader.decode([as_profile(line) for line in block.lines], now_ms)
        changes = [one for one in found.changes if one.kind == PROFILE]
        if pseudonyms is not None:  # as the job names the users of events
            changes = renamed(changes, pseudonyms.all)
        users.update(one.user for one in changes)
        entries.append(pack_people(changes))
    if files and not users:
        names = ", ".join(map(str, files))
        raise SourceError(
            f"no line of {names} is a profile: write lines of kind 'profile' as docs/people.md has "
            "them, or name MovieLens' u.user"
        )
    return len(users), entries


def as_profile(line: str) -> str:
    """A line of u.user as a profile; any other line as it is.

    >>> as_profile("1|24|M|technician|85711")
    '{"kind":"profile","user":"1","age_band":"18-24","gender":"M","attributes":{"occupation":"technician"}}'
    """
    if not (found := _USER.fullmatch(line.strip())):
        return line
    user, age, gender, occupation = found.groups()
    said = {"kind": PROFILE, "user": user, "age_band": age_band(int(age)), "gender": gender}
    return msgspec.json.encode(said | {"attributes": {"occupation": occupation}}).decode()


def age_band(age: int) -> str:
    """The band of an age in years.

    >>> age_band(17), age_band(18), age_band(70)
    ('0-17', '18-24', '56+')
    """
    for low, high in pairwise(_AGES):
        if age < high:
            return f"{low}-{high - 1}"
    return f"{_AGES[-1]}+"
