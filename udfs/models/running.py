"""Which experiments run in a job: those of its configuration, and what lines have said since.

In: the settings of a job, and words about experiments. Out: the experiments that run, and why
others wait. It follows from the two alone, so that all shards and `stats` come to the same result,
and a job that is started again with other options goes on with what can run there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from udfs.errors import ConfigError
from udfs.experiments.words import Word, known
from udfs.models.settings import Settings
from udfs.models.varied import check_experiments
from udfs.options.experiments import Experiment


class Running(NamedTuple):
    """What is done with the experiments that are known.

    Attributes:
        experiments: those that run, in the order in which they began.
        waiting: why others do not that have not ended, by name.
    """

    experiments: list[Experiment]
    waiting: dict[str, str]


def running(settings: Settings, words: Mapping[str, Word]) -> Running:
    """See the module. An experiment that does not fit beside those that began before it waits until
    they end.

    >>> from udfs.options.experiments import Variant
    >>> variants = [Variant(name="now"), Variant(name="new", set={"rerank.debias": 0.5})]
    >>> one = Experiment(name="one", variants=variants)
    >>> running(Settings(), {"one": Word(7, one)}).waiting
    {'one': 'quality.attribution_days is 0 in this job, so that it is not known what becomes of \
lists: start it with quality.attribution_days = 7, which it can with its state.'}
    """
    if not words:
        return Running(settings.experiments, {})
    found = Running([], {})
    for one in known(settings.experiments, words):
        if one.ended:
            continue
        if why := against(settings, [*found.experiments, one.experiment]):
            found.waiting[one.experiment.name] = why
        else:
            found.experiments.append(one.experiment)
    return found


def against(settings: Settings, experiments: Sequence[Experiment]) -> str:
    """Why these experiments cannot run side by side in a job with these settings, in a sentence; ""
    if they can."""
    if not settings.quality.attribution_days:
        return (
            "quality.attribution_days is 0 in this job, so that it is not known what becomes of "
            "lists: start it with quality.attribution_days = 7, which it can with its state."
        )
    try:
        check_experiments(replace(settings, experiments=[*experiments]))
    except ConfigError as error:
        return str(error)
    return ""


class Against(Struct, frozen=True):
    """What a job with these settings has against an experiment, whatever else runs; "": nothing."""

    settings: Settings

    def __call__(self, experiment: Experiment) -> str:
        """See `against`."""
        return against(self.settings, [experiment])
