"""What `stats` says of each experiment besides numbers: what it is, since when, whether it runs.

In: the experiments that are known. Out: fields of the Redis hash `stats`, and what they said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from udfs.experiments.results import PREFIX
from udfs.experiments.words import Known
from udfs.options.experiments import Experiment

DEFINITION, STARTED, ENDED, WAITS = "definition", "started", "ended", "waits"
_decode = msgspec.json.Decoder(Experiment).decode


class Standing(NamedTuple):
    """An experiment, see `udfs.experiments.words.Known`; waits: why it does not run, "" if it does
    not wait."""

    experiment: Experiment
    began: int = 0
    ended: int = 0
    waits: str = ""

    @property
    def runs(self) -> bool:
        """Whether lists are made for its variants."""
        return not (self.ended or self.waits)


def fields(known: Sequence[Known], waiting: Mapping[str, str]) -> dict[str, str]:
    """The fields: the options as JSON, when a line started it and when one ended it, ms since 1970
    or 0, and why it waits, "" if it does not.

    Args:
        waiting: by name.
    """
    found = dict[str, str]()
    for one in known:
        begin = f"{PREFIX}{one.experiment.name}:"
        found[f"{begin}{DEFINITION}"] = msgspec.json.encode(one.experiment).decode()
        found[f"{begin}{STARTED}"], found[f"{begin}{ENDED}"] = str(one.began), str(one.ended)
        found[f"{begin}{WAITS}"] = waiting.get(one.experiment.name, "")
    return found


def read(told: Mapping[str, str]) -> list[Standing]:
    """The experiments in fields of `stats` without their prefix, those first that began first.

    >>> from udfs.options.experiments import Variant
    >>> one = Experiment(name="a", variants=[Variant(name="x"), Variant(name="y")])
    >>> written = fields([Known(one, 5, 0)], {"a": "another sets rules"})
    >>> read({name.removeprefix(PREFIX): value for name, value in written.items()})[0][1:]
    (5, 0, 'another sets rules')
    """
    found = []
    for field, value in told.items():
        name, _, what = field.partition(":")
        if what == DEFINITION:
            own = [told.get(f"{name}:{each}", "") for each in (STARTED, ENDED, WAITS)]
            found.append(Standing(_decode(value), int(own[0] or 0), int(own[1] or 0), own[2]))
    return sorted(found, key=lambda one: (one.began, one.experiment.name))
