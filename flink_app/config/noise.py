"""What must not be set beside `privacy.epsilon`.

In: a `Config`. Out: nothing, or a ConfigError that says what does not fit, and what to write.
"""

from __future__ import annotations

from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.options.privacy import GRACE_MS

LEAST_EPSILON = 0.001
"""The least budget: the noise of an item's daily count is some thousand users."""

MOST_CHECKPOINT_S = GRACE_MS // 2000
"""So that one is complete before a day is published, also if it takes as long as the pause."""


def check_noise(config: Config) -> None:
    """What is published with a budget must not depend on what people did in any other way.

    >>> from flink_app.config import load
    >>> check_noise(load(None, ["privacy.epsilon=1", "privacy.min_users=5"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: privacy.epsilon is 1.0 and privacy.min_users is 5, which decides by \
exact counts what is in a list: set one of them to 0.
    """
    privacy = config.privacy
    if not privacy.epsilon:
        return
    if privacy.epsilon < LEAST_EPSILON:
        raise ConfigError(
            f"privacy.epsilon is {privacy.epsilon}, with which lists would be nothing but noise: "
            f"set it to {LEAST_EPSILON} or more, or to 0 for lists of exact counts."
        )
    if privacy.min_users:
        raise ConfigError(
            f"privacy.epsilon is {privacy.epsilon} and privacy.min_users is {privacy.min_users}, "
            "which decides by exact counts what is in a list: set one of them to 0."
        )
    if config.state.checkpoints and config.state.checkpoint_s > MOST_CHECKPOINT_S:
        raise ConfigError(
            f"state.checkpoint_s is {config.state.checkpoint_s} and privacy.epsilon is set: a day "
            f"is published {GRACE_MS // 60_000} minutes after its end, and a checkpoint must hold "
            f"all of it by then. Set it to {MOST_CHECKPOINT_S} or less."
        )
    if config.state.item_expiry_days < 2:
        raise ConfigError(
            f"state.item_expiry_days is {config.state.item_expiry_days} and privacy.epsilon is "
            "set: that an item expires would tell that nobody took it. Set it to 2 or more."
        )
