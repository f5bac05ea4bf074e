"""What all sources of evidence by item share, and how the ranker's kernels find theirs.

Evidence is a positive amount for each item that a source supports, 0 for all others. A source
passes a view to the kernels, an instance of its own NamedTuple class, and registers two kernels by
that class: Numba selects them when it compiles for the tuple of all views, so dispatch costs
nothing, and the disk cache has one entry for each set of sources.

In: `speaks(View, gather, damp)`. Out: `gather` and `damp`, to be called from kernels.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from udfs.compiling import njit

ZERO = np.float32(0.0)
FAINTEST = np.float32(1e-30)  # the least that a part of evidence counts
LINE = 16  # items whose evidence is looked at together: as many as the processor adds at once


class _Kernels(NamedTuple):
    gather: Any
    damp: Any


_kernels: dict[type, _Kernels] = {}


def speaks(view: type, gather: Any, damp: Any) -> None:
    """Register the kernels of a source of evidence by the class of its view.

    Args:
        gather: a kernel (view, user, history, evidence, touched), which adds to `evidence`
            (float32[I], 0 where nothing was found) the source's evidence for the user in cache slot
            `user`, and sets `touched` (uint8) to 1 at `line(j)` of each item j that it adds to.
        damp: a kernel (view, slots, out), which sets `out` (float32[n]) to the factors for the
            evidence of `slots` (int32[n]), which are the same for all users.
    """
    _kernels[view] = _Kernels(gather, damp)


def gather(view, user, history, evidence, touched):
    """Add the evidence of the source of `view`; see `speaks`. Only callable from kernels."""
    raise NotImplementedError


def damp(view, slots, out):
    """Set the factors for the evidence of slots; see `speaks`. Only callable from kernels."""
    raise NotImplementedError


@njit(cache=True, nogil=True, inline="always")
def line(j):
    """The line of an item (uint32)."""
    return j >> np.uint32(4)


@njit(cache=True, nogil=True, inline="always")
def fallen(x, power):
    """x^−power, for x > 0; the power ½ is by far the most common, and a tenth of the work."""
    return 1.0 / np.sqrt(x) if power == 0.5 else x**-power


@overload(gather)
def _gather(view, user, history, evidence, touched):
    kernel = _kernels[view.instance_class].gather

    def call(view, user, history, evidence, touched):
        kernel(view, user, history, evidence, touched)

    return call


@overload(damp)
def _damp(view, slots, out):
    kernel = _kernels[view.instance_class].damp

    def call(view, slots, out):
        kernel(view, slots, out)

    return call
