"""How ids of users in requests are written in Redis, given the options of a job.

In: a `Config`, and the key of pseudonyms from the environment. Out: `Pseudonyms`, if they are on;
`stored_user`, which every look-up of something of a user goes through.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from flink_app.config.tree import Config
from udfs.events.pseudonyms import VARIABLE, Pseudonyms


def pseudonyms_of(config: Config) -> Pseudonyms | None:
    """What replaces ids of users; None if they stay as they are.

    Raises:
        ConfigError: pseudonyms are on, but the environment has no key, or a bad one.
    """
    return Pseudonyms(os.environ.get(VARIABLE, "")) if config.privacy.pseudonyms else None


def stored_user(config: Config) -> Callable[[str], str]:
    """How the id of a user in a request is written in Redis, by `events.ids` and
    `privacy.pseudonyms`. Errors are those of `pseudonyms_of`."""
    pseudonyms = pseudonyms_of(config)
    if pseudonyms is None and config.events.ids == "text":
        return str
    from udfs.events.whole_ids import stored  # it needs NumPy, which takes longer than the rest

    as_read = stored(config.events.ids)
    return as_read if pseudonyms is None else lambda user: pseudonyms.of(as_read(user))
