"""The experiments of the configuration, `[[experiments]]`: read from where options come from.

In: what a file, the variable MILLIREC_EXPERIMENTS or `--set experiments=…` says. Out:
`Experiment`s, each valid by itself, or a ConfigError that says what is wrong. Whether they can run
in a job is checked by `check_experiments`.
"""

from __future__ import annotations

import msgspec

from flink_app.config.tree import Config
from flink_app.config.values import toml, toml_or_text
from udfs.errors import ConfigError
from udfs.models import varied
from udfs.options.experiments import Experiment

NAME = "experiments"
VARIABLE = "MILLIREC_EXPERIMENTS"


def from_text(text: str, origin: str) -> list[Experiment]:
    """The experiments in a variable or a `--set`: an array of tables in TOML."""
    return read(toml_or_text(text), origin)


def read(value: object, origin: str) -> list[Experiment]:
    """The experiments in a TOML value.

    Raises:
        ConfigError: it is no array of tables, or one of them is not understood.

    >>> [one] = read([{"name": "a", "variants": [{"name": "x"}, {"name": "y"}]}], "--set")
    >>> one.share, one.goal
    (1.0, 'clicks_per_view')
    >>> read([{"name": "a", "variants": [{"name": "x"}]}], "--set")
    Traceback (most recent call last):
    udfs.errors.ConfigError: [[experiments]] (from --set) is not understood: Expected `array` of \
length >= 2 - at `$[0].variants`: see docs/experiments.md for what belongs in it.
    """
    try:
        return msgspec.convert(value, list[Experiment])
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"[[experiments]] (from {origin}) is not understood: {error}: see docs/experiments.md "
            "for what belongs in it."
        ) from None


def rows(experiments: list[Experiment], origin: str) -> list[tuple[str, str, str]]:
    """Each experiment as `render.effective` shows it."""
    return [
        (f"{NAME}[{place}]", toml(_plain(one)), origin) for place, one in enumerate(experiments, 1)
    ]


def document(experiments: list[Experiment]) -> str:
    """The experiments in TOML."""
    lines = []
    for one in experiments:
        lines += ["", "[[experiments]]", *(f"{k} = {toml(v)}" for k, v in _plain(one).items())]
    return "".join(f"{line}\n" for line in lines)


def _plain(one: Experiment) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(one)
    return found


def check_experiments(config: Config) -> None:
    """Raise ConfigError unless the experiments can run in this job.

    >>> from flink_app.config import load
    >>> two = 'experiments=[{name = "a", variants = [{name = "x"}, {name = "y"}]}]'
    >>> check_experiments(load(None, [two, "quality.attribution_days=7"], {}).config)
    >>> check_experiments(load(None, [two], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: there are experiments but quality.attribution_days is 0, so it is not \
known what becomes of lists: set quality.attribution_days = 7, or leave them out.
    """
    if not config.experiments:
        return
    if not config.quality.attribution_days:
        raise ConfigError(
            "there are experiments but quality.attribution_days is 0, so it is not known what "
            "becomes of lists: set quality.attribution_days = 7, or leave them out."
        )
    varied.check_experiments(config)
