"""Lists as values, which ranking produces and every store takes.

In: slots of a catalogue with scores and reasons, from `udfs.ranking`. Out: `ListUpdates`, n lists
of one kind, time and source as arrays, or each of them with ids, as a `ListUpdate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.lists import contract
from udfs.lists.keys import Kind
from udfs.lists.lists_json import ListsJson, Owners
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.options.sources import SOURCES


class ListUpdate(NamedTuple):
    """One list, best item first.

    Attributes:
        kind, name: the kind and the owner; "" for a shared list.
        items, scores: ids, and 0 to 1.
        models, reasons: the source of each item, from `SOURCES`, and the items that explain it.
        source: what made the list, such as "ranker". at_ms: when. id: derived from the time.
        json: the list in the form of `udfs.lists.contract`.
    """

    kind: Kind
    name: str
    items: list[str]
    scores: list[float]
    models: list[str]
    reasons: list[list[str]]
    source: str
    at_ms: int
    id: str
    json: bytes


@dataclass(eq=False)
class ListUpdates:
    """n lists that replace those of the same kind and name.

    Slots are valid only until the catalogue changes: a store must not keep them after its `write`
    returns; it may keep the `ListUpdate`s.

    Attributes:
        kind, names: the kind and n owners, as in `ListUpdate`.
        source, at_ms: what made them, and when.
        lists: int32[n, N], float32[n, N], int8[n, N].
        catalogue: holds their items. writer: makes their JSON.
        reasons: int32[n, N, R], −1 where there are fewer; None: no reasons.
        numbers: int64[n], the end of each list's id, the user's number of events. None: only the
            time.
        factors: float32[n, d], the vectors by which the items' factors are multiplied for each
            user, for ranking other items elsewhere; None: not needed.
        consumed: int32[n, K], popular items that the user of each list has consumed, −1 where there
            are fewer; None: not known.
        explored, teams: float32[n, N], int8[n, N], as in `Served`; None: nothing.
        followed: by row and place, whom the user of a list follows who took an item; None: nobody.
    """

    kind: Kind
    names: Sequence[str]
    source: str
    at_ms: int
    lists: Lists
    catalogue: Catalogue
    writer: ListsJson
    reasons: NDArray[np.int32] | None = None
    numbers: NDArray[np.int64] | None = None
    factors: NDArray[np.float32] | None = None
    consumed: NDArray[np.int32] | None = None
    explored: NDArray[np.float32] | None = None
    followed: Mapping[int, Mapping[int, str]] | None = None
    teams: NDArray[np.int8] | None = None
    _json: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def json(self) -> list[bytes]:
        """Each list in the form of `udfs.lists.contract`; made once, for all stores that need
        it."""
        if self._json is None:
            owners = Owners(self.kind, self.names, self.numbers, self.at_ms, self.source)
            self._json = self.writer.write(
                owners, self.catalogue, self.lists, self.reasons, self.consumed
            )
            for row, names in (self.followed or {}).items():
                self._json[row] = contract.with_followed(self._json[row], names)
            if self.explored is not None:
                self._tell(self._json, self.explored)
        return self._json

    def _tell(self, lists: list[bytes], explored: NDArray[np.float32]) -> None:
        """Add to each list what was explored in it."""
        rows, places = np.nonzero(explored)
        items = self.catalogue.names(self.lists.items[rows, places].tolist())
        found: dict[int, list[tuple[str, float]]] = {}
        chances = explored[rows, places].tolist()
        for row, item, chance in zip(rows.tolist(), items, chances, strict=True):
            found.setdefault(row, []).append((item, chance))
        for row, some in found.items():
            lists[row] = contract.with_explored(lists[row], some)

    def under_all(self, others: Mapping[str, Sequence[str]]) -> ListUpdates:
        """The same lists once more under other names.

        Args:
            others: more names for some of the owners.
        """
        pairs = [(row, name) for row, name in enumerate(self.names)]
        whole = [(row, one) for row, name in pairs for one in (name, *others.get(name, ()))]
        if len(whole) == len(pairs):
            return self
        at = np.array([row for row, _ in whole])
        return replace(
            self,
            names=[name for _, name in whole],
            lists=Lists(*(array[at] for array in self.lists)),
            reasons=_at(self.reasons, at),
            numbers=_at(self.numbers, at),
            factors=_at(self.factors, at),
            consumed=_at(self.consumed, at),
            explored=_at(self.explored, at),
            followed=_rows(self.followed, at.tolist()),
            teams=_at(self.teams, at),
            _json=None,
        )

    def __iter__(self) -> Iterator[ListUpdate]:
        names, sources = self.catalogue.names, list(SOURCES)
        for row, name in enumerate(self.names):
            items = self.lists.items[row]
            n = len(items) if (items >= 0).all() else int((items < 0).argmax())
            number = None if self.numbers is None else int(self.numbers[row])
            reasons = [[]] * n if self.reasons is None else self.reasons[row, :n].tolist()
            yield ListUpdate(
                kind=self.kind,
                name=name,
                items=names(items[:n].tolist()),
                scores=self.lists.scores[row, :n].tolist(),
                models=[sources[model] for model in self.lists.models[row, :n].tolist()],
                reasons=[names([slot for slot in those if slot >= 0]) for those in reasons],
                source=self.source,
                at_ms=self.at_ms,
                id=contract.list_id(self.at_ms, number),
                json=self.json[row],
            )


def _at(rows: NDArray[Any] | None, at: NDArray[np.int64]) -> NDArray[Any] | None:
    return None if rows is None else rows[at]


def _rows(
    followed: Mapping[int, Mapping[int, str]] | None, at: list[int]
) -> dict[int, Mapping[int, str]]:
    return {new: followed[row] for new, row in enumerate(at) if row in followed} if followed else {}
