"""Lines that start and end experiments.

In: n lines (`Sequence[str]`), `{"kind":"experiment","experiment":{…}}`, with what an entry of
`[[experiments]]` has, or `{"kind":"experiment","name":"diverse","end":true}`. Out:
`ReadExperiments`: what is said, as bytes for every user learner, and a `Rejected` for each line
that says nothing usable.

Nothing of such a line is an event, so that accounts have it among what is ignored. The reasons are
those of `udfs.events.decode`, and

    missing_experiment   the line neither starts an experiment nor ends one
    cannot_run           the job cannot run it; the sentence says why
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from udfs.events.items.objects import objects_of
from udfs.events.items.values import Bad
from udfs.events.messages import Message
from udfs.events.raw_columns import Problem, Rejected, clean_times, shown
from udfs.events.settings import DecodeSettings
from udfs.experiments.words import Word, Words, merged
from udfs.options.experiments import Experiment, Name

KIND = "experiment"
"""What `kind` says on such a line."""
STARTS, NAMES, ENDS = "experiment", "name", "end"
"""Its fields."""


class ReadExperiments(msgspec.Struct, frozen=True):
    """The result for n lines.

    Attributes:
        words: what is known from them together. rejected: by ascending index of their lines.
        ignored: how many lines, or elements, are usable, or hold nothing.
    """

    words: Words
    rejected: list[Rejected]
    ignored: int

    @property
    def received(self) -> int:
        """All of them."""
        return self.ignored + len(self.rejected)


class ExperimentReader:
    """Reads lines about experiments, objects of JSON in any job."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings, self._against = settings, settings.against

    def decode(
        self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()
    ) -> ReadExperiments:
        """What n lines say; the content of a line never makes it raise.

        Args:
            now_ms: the clock, ms since 1970, which is the time of what says none.
        """
        words, rejected, ignored = Words(), list[Rejected](), 0
        for index, line in enumerate(lines):
            found = objects_of(line)
            ignored += not found
            for element, one in enumerate(found):
                try:
                    name, word = self._word(one, now_ms)
                except Bad as bad:
                    place = element if len(found) > 1 else -1
                    rejected.append(Rejected(bad.reason, str(bad), index, place))
                else:
                    words = merged(words, {name: word})
                    ignored += 1
        return ReadExperiments(words, rejected, ignored)

    def _word(self, one: dict[str, Any] | Problem | None, now_ms: int) -> tuple[str, Word]:
        """What one object says.

        Raises:
            Bad: nothing that can be used.
        """
        if not isinstance(one, dict):
            raise Bad(*(one or ("not_an_object", "the line is null")))
        given, end = one.get(STARTS), one.get(ENDS)
        if given is not None and end is not None:
            raise Bad("wrong_type", f"the line has both {STARTS!r} and {ENDS!r}: write two lines")
        if given is not None:
            experiment = self._experiment(given)
            return experiment.name, Word(began=self._time(one, now_ms), experiment=experiment)
        if end is None:
            raise Bad(
                "missing_experiment",
                f"the line has neither {STARTS!r}, which starts one, nor {NAMES!r} and {ENDS!r}",
            )
        if end is not True:
            raise Bad("wrong_type", f"the {ENDS} is {shown(end)}: it must be true")
        try:
            name = msgspec.convert(one.get(NAMES), Name)
        except msgspec.ValidationError:
            what = f"the {NAMES} {shown(one.get(NAMES))} is not that of an experiment"
            raise Bad("wrong_type", what) from None
        return name, Word(ended=self._time(one, now_ms))

    def _experiment(self, given: Any) -> Experiment:
        try:
            found = msgspec.convert(given, Experiment)
        except (msgspec.ValidationError, OverflowError) as error:
            raise Bad("wrong_type", f"the experiment is not understood: {error}") from None
        if self._against and (why := self._against(found)):
            raise Bad("cannot_run", why)
        return found

    def _time(self, one: dict[str, Any], now_ms: int) -> int:
        given, problems = one.get("ts"), dict[int, Problem]()
        if isinstance(given, bool | list | dict):
            raise Bad("wrong_type", f"the ts {shown(given)} is not a time")
        raw = [None if given == "" else given]
        [time] = clean_times(raw, now_ms, self._settings.bounds, problems, option="").tolist()
        if problems:
            raise Bad(*problems[0])
        return int(time)


_message: Message[Words] = Message(b"E", "what is said of experiments", Words)


def pack_words(words: Words) -> bytes:
    """What is said as bytes, for every user learner."""
    return _message.pack(words)


def is_words(data: bytes) -> bool:
    """Whether these are packed words about experiments.

    >>> is_words(pack_words({"a": Word(ended=5)})), is_words(b"")
    (True, False)
    """
    return _message.holds(data)


def unpack_words(data: bytes) -> Words:
    """What `pack_words` wrote; errors as of `Message.unpack`."""
    return _message.unpack(data)
