"""Calls of kernels without a look at the types of their arguments each time.

In: a kernel, and arguments whose types are those of the first call. Out: its result. Numba finds
out what each argument is at each call, also of dozens of arrays in tuples; for a single user that
takes as long as the kernel itself.

>>> import numpy as np
>>> from udfs.compiling import njit
>>> total = Direct(njit()(lambda array, factor: array.sum() * factor))
>>> total(np.ones(3), 2.0), total(np.ones(4), 0.5)
(6.0, 2.0)
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


class Direct:
    """A kernel that is always called with arguments of the same types, but for the `varying` ones.

    Numba checks nothing here: an array of another type or layout would be read as if it were of the
    first one's. So what a caller does not make itself, or take from a table, must be `varying`.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._known: dict[tuple[Any, ...], Any] = {}

    def __call__(self, *args: Any, varying: tuple[NDArray[Any], ...] = ()) -> Any:
        """The result of the kernel.

        Args:
            varying: arrays among `args`, or within them, whose types may differ from call to call.
        """
        key: tuple[Any, ...] = ()
        if varying:
            # `num` says among others whether it is contiguous, by rows or by columns.
            key = tuple([(some.dtype.char, some.ndim, some.flags.num) for some in varying])
        call = self._known.get(key)
        if call is not None:
            return call(*args)
        types = tuple(map(self._kernel.typeof_pyval, args))
        result = self._kernel(*args)
        self._known[key] = self._kernel.get_overload(types)
        return result
