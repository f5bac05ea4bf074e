"""What variants of experiments may change, and the settings that result from it.

In: the settings of a job, and the options that a variant sets. Out: settings by which lists are
made for its users, or a ConfigError that says what it cannot change. What is learned, counted and
kept is the same for all users: only how lists are made of it can differ between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from udfs.errors import ConfigError
from udfs.experiments.results import MISMATCH
from udfs.models.settings import Settings
from udfs.options.experiments import Experiment
from udfs.options.own import beside
from udfs.options.sources import models, silent, words

MODEL, RULES, EXPLORE = "lists.model", "rules", "explore.share"
CHANGEABLE = (MODEL, "rerank.diversity", "rerank.calibration", "rerank.debias", EXPLORE, RULES)
"""The options that a variant may set; `rules` is true or false, whether the rules about lists hold
that do not exclude."""


def varied(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with other options, by name.

    Raises:
        ConfigError: a variant cannot set one of them, or not to this value, in this job.

    >>> varied(Settings(), {"rerank.diversity": 0.5}).rerank.diversity
    0.5
    >>> varied(Settings(), {"model.dimensions": 64})
    Traceback (most recent call last):
    udfs.errors.ConfigError: model.dimensions cannot differ between users: a variant sets \
lists.model, rerank.diversity, rerank.calibration, rerank.debias, explore.share or rules.
    """
    for name, value in changes.items():
        if name not in CHANGEABLE:
            raise ConfigError(
                f"{name} cannot differ between users: a variant sets {words(CHANGEABLE)}."
            )
        if name == RULES:
            settings = _ruled(settings, value)
            continue
        if name == MODEL:
            _check_model(settings, value)
            settings = replace(settings, lists=replace(settings.lists, model=value))
            continue
        if name == EXPLORE and not settings.explore.share:
            raise ConfigError(
                "a variant sets explore.share, but the job's is 0, so that it is not counted what "
                "is offered: set explore.share = 0.05 for the job, and 0 in the other variant."
            )
        section, _, key = name.partition(".")
        settings = replace(settings, **{section: _changed(getattr(settings, section), key, value)})
    return settings


def _changed(section: Any, key: str, value: Any) -> Any:
    try:
        return msgspec.convert({**msgspec.to_builtins(section), key: value}, type(section))
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{type(section).__name__.lower()}.{key} is {value!r} in a variant: {error}."
        ) from None


def _ruled(settings: Settings, value: Any) -> Settings:
    if not isinstance(value, bool):
        raise ConfigError(f"rules is {value!r} in a variant: it must be true or false.")
    if value:
        return settings
    kept = [rule for rule in settings.rules if rule.exclude or rule.exposure]
    return replace(settings, rules=kept)


def _check_model(settings: Settings, value: Any) -> None:
    served, own = settings.lists.model, beside(settings)
    known = [*models(), *own] if served != "ranker" else ["ranker", *models(), *own]
    if value not in known:
        because = "" if value != "ranker" else ", as the job's own does not let the ranker learn"
        raise ConfigError(
            f"lists.model is {value!r} in a variant: it must be {words(known)}{because}."
        )
    if served in silent() and value not in silent():
        raise ConfigError(
            f'lists.model is "{value}" in a variant, but "{served}" in the job, which does not '
            "count which items go together: let the job serve what counts more, and set its model "
            "in the first variant."
        )


def check_experiments(settings: Settings) -> None:
    """Raise ConfigError unless all experiments can run with these settings, and side by side."""
    names, options = set[str](), dict[str, str]()
    for one in settings.experiments:
        if one.name in names:
            raise ConfigError(f"two experiments are called {one.name}: give each its own name.")
        names.add(one.name)
        _check_variants(one)
        for variant in one.variants:
            for option in variant.set:
                if options.setdefault(option, one.name) != one.name:
                    raise ConfigError(
                        f"the experiments {options[option]} and {one.name} both set {option}: run "
                        "one after the other, or let one have the variants of both."
                    )
            try:
                varied(settings, variant.set)
            except ConfigError as error:
                raise ConfigError(f"experiment {one.name}, {variant.name}: {error}") from None


def _check_variants(experiment: Experiment) -> None:
    names = [variant.name for variant in experiment.variants]
    if MISMATCH in names:
        raise ConfigError(
            f"experiment {experiment.name} has a variant called {MISMATCH}, which is what stats "
            "calls sizes that do not fit: give it another name."
        )
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"experiment {experiment.name} has {names.count(name)} variants called {name}: "
                "give each its own name."
            )


def every(settings: Settings) -> list[Settings]:
    """The settings of each variant of each experiment alone."""
    return [varied(settings, v.set) for one in settings.experiments for v in one.variants]


def combined(settings: Settings, places: tuple[int, ...]) -> Settings:
    """The settings for users who are in these variants, by the place of each in its experiment; −1:
    not in it."""
    changes: dict[str, Any] = {}
    for one, place in zip(settings.experiments, places, strict=True):
        if place >= 0:
            changes |= one.variants[place].set
    return varied(settings, changes)
