"""How ids of users in requests are written in Redis, given the options of a job.

In: a `Config`, and the key of pseudonyms from the environment. Out: `Pseudonyms`, if they are on;
`stored_user`, which every look-up of something of a user goes through; a ConfigError for what must
not be set beside them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.events.pseudonyms import VARIABLE, Pseudonyms


def pseudonyms_of(config: Config) -> Pseudonyms | None:
    """What replaces ids of users; None if they stay as they are.

    Raises:
        ConfigError: pseudonyms are on, but the environment has no key, or a bad one.
    """
    return Pseudonyms(os.environ.get(VARIABLE, "")) if config.privacy.pseudonyms else None


def check_pseudonyms(config: Config) -> None:
    """Where ids of users are replaced, none may come into the state by another way.

    Raises:
        ConfigError: an option does that, or cannot work without the ids; and as `pseudonyms_of`.

    >>> from flink_app.config import load
    >>> check_pseudonyms(load(None, ["privacy.pseudonyms=true", "serve.page=social"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: serve.page is "social" and privacy.pseudonyms is on: that page sends \
ids of users as the providers of posts and as whom one follows, which are not replaced. Choose \
another page, or turn pseudonyms off.
    """
    if not config.privacy.pseudonyms:
        return
    if config.lists.exclude_own:
        raise ConfigError(
            "lists.exclude_own and privacy.pseudonyms are both on: the provider of an item, which "
            "is no pseudonym, cannot be compared with a user's. Turn one of them off."
        )
    if config.serve.page == "social":
        raise ConfigError(
            'serve.page is "social" and privacy.pseudonyms is on: that page sends ids of users as '
            "the providers of posts and as whom one follows, which are not replaced. Choose "
            "another page, or turn pseudonyms off."
        )
    pseudonyms_of(config)


def stored_user(config: Config) -> Callable[[str], str]:
    """How the id of a user in a request is written in Redis, by `events.ids` and
    `privacy.pseudonyms`. Errors are those of `pseudonyms_of`."""
    pseudonyms = pseudonyms_of(config)
    if pseudonyms is None and config.events.ids == "text":
        return str
    from udfs.events.whole_ids import stored  # it needs NumPy, which takes longer than the rest

    as_read = stored(config.events.ids)
    return as_read if pseudonyms is None else lambda user: pseudonyms.of(as_read(user))
