"""The interface of a candidate source: the base class of all in the table of sources.

In: a `Shop`, the arrays of items and users in one subtask; `Events`, the events of a batch; a
`Moment`, users for whom lists are made. Out: evidence for the ranker's kernels, candidates,
reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table
from udfs.memory.users import Users
from udfs.models.item_cf.neighbours import Windows
from udfs.models.ranked import Ranked
from udfs.threads import Threads, nothing

if TYPE_CHECKING:  # settings load the options of all sources, whose files import this one
    from udfs.models.settings import Settings


class Shop:
    """The items and the users of one subtask, as all sources see them.

    Attributes:
        settings: the options of the job.
        clock: float64[1], the newest event time in ms.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, users: Users, threads: Threads
    ) -> None:
        self.settings, self.catalogue, self.users = settings, catalogue, users
        self.threads, self.clock = threads, np.zeros(1)

    @property
    def clock_ms(self) -> float:
        """The newest event time."""
        return float(self.clock[0])


class Events(NamedTuple):
    """n events in order, before they are added to the histories.

    Attributes:
        users, items: int32[n], cache slots and catalogue slots (−1: none).
        weights, flags: float32[n], uint8[n], as in `EventBatch`.
        windows: the events that are learned, with the last items of their users.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    flags: NDArray[np.uint8]
    windows: Windows


class Moment:
    """Users at one moment; results about them are computed once and kept.

    Attributes:
        slots: int32[n], cache slots; −1 is no particular user.
        state: results are valid only while this is the same: the time in ms, and the numbers of
            slots and living items of the catalogue.
        serials: int64[n], the serials of the users in the slots.
    """

    def __init__(self, shop: Shop, slots: NDArray[np.int32], now_ms: int) -> None:
        self.slots: NDArray[np.int32] = np.ascontiguousarray(slots, np.int32)
        self.now_ms, self._shop = now_ms, shop
        self.serials = shop.users.serials[slots]
        self.state = self._state()
        self._found: dict[str, Any] = {}

    def once(self, name: str, make: Callable[..., Any], *args: Any) -> Any:
        """The result of `make(*args)`, computed once: an array with a row for each user, or a
        tuple of them."""
        if name not in self._found:
            self._found[name] = make(*args)
        return self._found[name]

    def keep(self, name: str, result: Any) -> None:
        """Keep a result as if it came from `once`."""
        self._found[name] = result

    def found(self, name: str) -> Any:
        """A result of `once`, None if it was not computed yet."""
        return self._found.get(name)

    def _state(self) -> tuple[int, int]:
        return self._shop.catalogue.size, self._shop.catalogue.living

    def at(self, slots: NDArray[np.int32], now_ms: int) -> Moment | None:
        """The users in `slots` at a time, with the known results; None if these are no longer
        valid, or not known for all. After learning an event, the caller must drop all earlier
        moments."""
        if now_ms != self.now_ms or self.state != self._state():
            return None
        if same := np.array_equal(slots, self.slots):
            rows = np.arange(len(slots))
        else:
            place = {slot: row for row, slot in enumerate(self.slots.tolist())}
            rows = np.array([place.get(slot, -1) for slot in slots.tolist()], np.intp)
        serials = self._shop.users.serials[slots]
        if (rows < 0).any() or not np.array_equal(self.serials[rows], serials):
            return None
        return self if same else self.part(rows)

    def part(self, rows: NDArray[np.intp]) -> Moment:
        """Some of the users, with the results known for them."""
        some = Moment(self._shop, self.slots[rows], self.now_ms)
        for name, found in self._found.items():
            if found is not None:
                few = tuple(x[rows] for x in found) if isinstance(found, tuple) else found[rows]
                some._found[name] = few
        return some


class Model:
    """One source; each method has a default.

    Args:
        options: its section of the configuration; None if it has none.

    Attributes:
        tables: its data about items, which the catalogue keeps in step with its slots: room for
            new items, 0 for expired ones.
        lasting: whether a view of `naming`, made for more users, may be used again for fewer until
            an array is replaced, a new item or a new look at what is popular included.
    """

    lasting = False

    def __init__(self, shop: Shop, options: Any = None) -> None:
        self.shop, self.options = shop, options
        self.tables: tuple[Table, ...] = ()

    def evidence(self, thread: int) -> Any:
        """A view for the kernels registered by `udfs.models.evidence.speaks`; no other thread may
        use its memory. It has room for all slots of the catalogue, as `tables` have."""
        raise NotImplementedError

    def candidates(self, moment: Moment) -> Ranked | None:
        """The best items for each user that the source finds without the ranker, alive and, if
        configured, not consumed; None: it gives only evidence."""
        return None

    def named(self, moment: Moment) -> NDArray[np.int32] | None:
        """The slots of `candidates` alone, which is all that the ranker needs: int32[n, N]."""
        found = self.candidates(moment)
        return None if found is None else found[0]

    def naming(self, moment: Moment) -> Any:
        """A view for the kernel registered by `udfs.models.offers.names`, which does what `named`
        does, N items for each user, within the call that makes the lists. What the kernel finds out
        may be kept in the moment beforehand. None: it has no such kernel."""
        return None

    def describe(self, slots: NDArray[np.int32], content: NDArray[np.int8]) -> None:
        """Learn what the items in `slots` (int32[n]) are: int8[n, WIDTH], see
        `udfs.models.content.features`; all 0 where nothing is known."""

    def count(self, events: Events) -> Callable[[], object]:
        """Learn from a batch; the function returned waits until that is done, since nothing else
        reads the source's counts meanwhile."""
        return nothing

    def explain(self, slots: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int32]:
        """The history items behind items that the source put into lists.

        Args:
            slots, items: int32[n], int32[n, N]: users and items; −1 for items from other sources.

        Returns: int32[n, N, R], the largest weight first, −1 where there are fewer.
        """
        return np.full((*items.shape, 0), -1, np.int32)
