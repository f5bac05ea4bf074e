"""What must hold of the options of re-ranking.

In: a `Config`. Out: nothing, or a ConfigError that says what does not fit, and what to write.
"""

from __future__ import annotations

from flink_app.config.hints import hint
from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.options.rerank import STEPS

EXPOSURE = "exposure"
MOST = 0.9
"""Of all exposure, what rules may ask for together."""


def check_rerank(config: Config) -> None:
    """Each step that the order names exists, and is named once; each that is on is named.

    >>> from flink_app.config import load
    >>> check_rerank(load(None, ['rerank.order=["diversty"]'], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: rerank.order: "diversty" is not a step: did you mean diversity?
    """
    rerank, order = config.rerank, config.rerank.order
    for name in order:
        if name not in STEPS:
            meant = hint(name, STEPS, f"choose from {', '.join(STEPS)}.")
            raise ConfigError(f'rerank.order: "{name}" is not a step: {meant}')
        if order.count(name) > 1:
            raise ConfigError(
                f'rerank.order names "{name}" {order.count(name)} times: name it once.'
            )
    wanted = {f"rerank.{name}": name for name in STEPS if getattr(rerank, name, 0)}
    if any(rule.exposure for rule in config.rules):
        wanted["exposure of a rule"] = EXPOSURE
    for option, name in wanted.items():
        if name not in order:
            raise ConfigError(
                f'{option} is set, but rerank.order has no "{name}": add it where it is to be '
                "done, or leave rerank.order out."
            )
    total = sum(rule.exposure for rule in config.rules)
    if total > MOST:
        raise ConfigError(
            f"the rules ask for {total:.2f} of all exposure together: lower it to {MOST} or less, "
            "so that there is room for what users want."
        )
