"""Named arrays that grow together: a struct of arrays with one row for each item or user.

In: a class that names its columns. Out: a table whose columns are plain arrays, the rows of which
are reserved, cleared, moved and renumbered together with those of every table attached to it.

>>> class Visits(Table):
...     count = column(np.int64)
...     last = column(np.float32, ("d",), fill=-1)
>>> visits = Visits(room=2, d=3)
>>> visits.count.tolist(), visits.last[1].tolist()
([0, 0], [-1.0, -1.0, -1.0])
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)
T = TypeVar("T", bound="Table")


_LARGE = 1 << 22
"""Bytes from which on an array is in huge pages; so are those that NumPy makes by `empty`."""


def zeros(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """`np.zeros`, in huge pages where it is large and the system has them.

    A kernel that reads rows here and there would have to look up the place of nearly each of them:
    the processor remembers a few thousand pages, which are 8 MB of small ones. As by `np.zeros`,
    memory is taken only where rows are written, but 2 MB at a time; and all of it is given back to
    the system with the array.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < _LARGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(shape, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a system built without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype).reshape(shape)


class Column(NamedTuple):
    """The arguments of `column`."""

    dtype: type[np.generic]
    shape: tuple[int | str, ...]
    fill: float
    slots: bool

    def rows(self, room: int, sizes: dict[str, int]) -> NDArray[Any]:
        """`room` rows of `fill`; for zeros, memory is allocated only when rows are written."""
        widths = (n if isinstance(n, int) else sizes[n] for n in self.shape)
        rows = zeros((room, *widths), self.dtype)
        if self.fill:
            rows[:] = self.fill
        return rows


def column(
    dtype: type[S], shape: tuple[int | str, ...] = (), fill: float = 0, *, slots: bool = False
) -> NDArray[S]:
    """Declare a column in the body of a `Table`; an instance has the array under that name.

    Args:
        shape: the shape of one row; a name in it is a size passed to the table.
        fill: the value of an unused row.
        slots: whether the values are slots of the table that this one is attached to.
    """
    return cast("NDArray[S]", Column(dtype, shape, fill, slots))


class Table:
    """Columns of equal length. An array is replaced when its table grows or moves rows, so
    get it from the table each time.

    Attributes:
        room: rows in each column. attached: tables with a row for each row of this one.

    Args:
        sizes: the values of the names in the columns' shapes.

    Raises:
        TypeError: a size is missing, or no column uses a size of that name.
    """

    columns: ClassVar[dict[str, Column]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        cls.columns = cls.columns | own

    def __init__(self, room: int = 256, **sizes: int) -> None:
        named = {n for spec in self.columns.values() for n in spec.shape if isinstance(n, str)}
        if named != sizes.keys():
            raise TypeError(
                f"{type(self).__name__} has columns of the sizes {sorted(named)}, but is given "
                f"{sorted(sizes)}: pass a number for each of its own, and no other."
            )
        self.room, self._sizes = room, sizes
        self.attached: list[Table] = []
        self._follows = True
        for name, spec in self.columns.items():
            setattr(self, name, spec.rows(room, sizes))

    def attach(self, table: T, *, slots: bool = True) -> T:
        """Keep `table` in step with the rows of this one from now on; returns it.

        Args:
            slots: whether the columns of slots in it name rows of this table.
        """
        table.reserve(self.room)
        table._follows = slots
        self.attached.append(table)
        return table

    def reserve(self, room: int, **sizes: int) -> None:
        """Make room for `room` rows, here and in all attached tables. Room doubles, so that growing
        costs little per row; `sizes` may be larger than before."""
        if room <= self.room and not sizes:
            return
        old, self._sizes = self.room, self._sizes | sizes
        self.room = max(room, 2 * old) if room > old else old
        for name, spec, array in self._arrays():
            larger = spec.rows(self.room, self._sizes)
            larger[tuple(map(slice, array.shape))] = array
            setattr(self, name, larger)
        for table in self.attached:
            table.reserve(self.room)

    def clear(self, slots: NDArray[np.integer[Any]] | int) -> None:
        """Reset rows to `fill`, here and in all attached tables."""
        for _, spec, array in self._arrays():
            array[slots] = spec.fill
        for table in self.attached:
            table.clear(slots)

    def keep(self, kept: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Move row `kept[k]` to row k, here and in all attached tables; all other rows become
        unused.

        Args:
            kept: int[n], distinct.

        Returns: int32[room], the new slot of each old one, −1 if it is gone.
        """
        for name, spec, array in self._arrays():
            fresh = spec.rows(self.room, self._sizes)
            fresh[: len(kept)] = array[kept]
            setattr(self, name, fresh)
        place = np.full(self.room, -1, np.int32)
        place[kept] = np.arange(len(kept), dtype=np.int32)
        for table in self.attached:
            table.keep(kept)
            if table._follows:
                table.renumber(place)
        return place

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow slots that have moved: each value s of the columns of slots becomes `place[s]`,
        or the column's `fill` if either is −1."""
        for _, spec, array in self._arrays():
            if spec.slots:
                moved = np.where(array < 0, -1, place[array])
                array[...] = np.where(moved < 0, int(spec.fill), moved)

    def _arrays(self) -> Iterator[tuple[str, Column, NDArray[Any]]]:
        for name, spec in self.columns.items():
            yield name, spec, getattr(self, name)
