"""What lines say of experiments: which are started, and which are ended.

In: words that were said, in whatever order they come, and however often. Out: what is known of each
experiment by its name. What is known depends on what was said alone and not on the order in which
it was heard, because lines of several partitions reach the shards in different orders: of two
starts the later counts, and an experiment is over if no start is later than its last end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from udfs.options.experiments import Experiment

_encode = msgspec.json.Encoder(order="deterministic").encode


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What was said of one experiment.

    Attributes:
        began: when a line started it last, ms since 1970; 0: none has.
        experiment: as it was started; of one of the configuration that was ended, as it was there;
            None: it is not known.
        ended: when a line ended it last, ms since 1970; 0: none has.
    """

    began: int = 0
    experiment: Experiment | None = None
    ended: int = 0

    @property
    def over(self) -> bool:
        """Whether it has ended since it began."""
        return self.ended > 0 and self.ended >= self.began


Words = dict[str, Word]
"""By the names of experiments."""


class Known(NamedTuple):
    """An experiment that was configured or started, also one that is over.

    Attributes:
        began: when a line started it, ms since 1970; 0: it is of the configuration.
        ended: when it ended, ms since 1970; 0: it has not.
    """

    experiment: Experiment
    began: int = 0
    ended: int = 0


def merged(one: Mapping[str, Word], other: Mapping[str, Word]) -> Words:
    """What is known after both were heard.

    >>> merged({"a": Word(began=5)}, {"a": Word(ended=7)})
    {'a': Word(began=5, experiment=None, ended=7)}
    """
    found = dict(one)
    for name, word in other.items():
        found[name] = _both(found[name], word) if name in found else word
    return found


def _both(one: Word, other: Word) -> Word:
    last = max(one, other, key=lambda word: (word.began, _encode(word.experiment)))
    return Word(last.began, last.experiment, max(one.ended, other.ended))


def known(configured: Sequence[Experiment], words: Mapping[str, Word]) -> list[Known]:
    """All experiments of which it is known what they are: first those of the configuration, in its
    order, then those that lines started, in the order in which they began. A line counts more than
    the configuration."""
    return [*_configured(configured, words), *_started(words, {one.name for one in configured})]


def with_configured(words: Mapping[str, Word], configured: Sequence[Experiment]) -> Words:
    """The words, which also tell what ended experiments of the configuration were, so that their
    results can be told when they are no longer in it."""
    ended = {one.name: Word(experiment=one) for one in configured if one.name in words}
    return merged(words, ended)


def _configured(configured: Sequence[Experiment], words: Mapping[str, Word]) -> Iterator[Known]:
    for one in configured:
        word = words.get(one.name, _NOTHING)
        if not (word.began and word.experiment):
            yield Known(one, 0, word.ended)


def _started(words: Mapping[str, Word], configured: set[str]) -> Iterator[Known]:
    for name, word in sorted(words.items(), key=lambda pair: (pair[1].began, pair[0])):
        if word.experiment and (word.began or name not in configured):
            yield Known(word.experiment, word.began, word.ended if word.over else 0)


_NOTHING = Word()
