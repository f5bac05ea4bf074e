"""The users or items of a file: how many events each has, and ids that look wrong.

In: ids, block by block. Out: an `Ids`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.raw_columns import shown

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u2060\ufeff]|^\s|\s$")
_PLACEHOLDER = re.compile(
    r"null|\(null\)|none|nil|nan|nat|<na>|\\n|#?n/a|undefined|na|unknown|anonymous|guest|-"
    r"|\[object object\]"
)


class Found(msgspec.Struct):
    """How often something was found, with one example: a sentence, and its file and line."""

    count: int = 0
    example: str = ""
    where: str = ""


class Ids:
    """Ids numbered from 0 in the order of their first event.

    Attributes:
        kind: user or item. names: all ids.
        odd: those with invisible characters, or with leading or trailing blanks.
        placeholders: those that mean a missing id.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.names: list[str] = []
        self.odd, self.placeholders = Found(), Found()
        self._number: dict[str, int] = {}
        self._counts = np.zeros(1024, np.int64)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many events each id has: int64[ids]."""
        return self._counts[: len(self.names)]

    def add(self, column: Sequence[str], where: Callable[[int], str]) -> NDArray[np.int64]:
        """The numbers of the ids of n events, int64[n]; `where` gives an event's file and line."""
        number = self._number
        fresh = [name for name in dict.fromkeys(column) if name not in number]
        for name in fresh:
            number[name] = len(self.names)
            self.names.append(name)
            for found, wrong in (
                (self.odd, _ODD.search(name) is not None),
                (self.placeholders, _PLACEHOLDER.fullmatch(name.lower()) is not None),
            ):
                if wrong and not found.count:
                    found.example, found.where = shown(name), where(column.index(name))
                found.count += wrong
        codes = np.fromiter(map(number.__getitem__, column), np.int64, len(column))
        if len(self.names) > len(self._counts):
            self._counts = np.concatenate([self.counts, np.zeros(2 * len(self.names), np.int64)])
        np.add.at(self._counts, codes, 1)
        return codes

    def alike(self) -> Found:
        """Ids that differ from an earlier one only in case."""

        first: dict[str, str] = {}
        found = Found()
        for name in self.names:
            other = first.setdefault(name.casefold(), name)
            if other != name:
                found.example = found.example or f"{shown(other)} and {shown(name)}"
                found.count += 1
        return found
