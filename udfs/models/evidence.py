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
FAINTEST = np.float32(1e-30)  # replaces evidence that cancels out, so that the item stays found


class _Kernels(NamedTuple):
    gather: Any
    damp: Any


_kernels: dict[type, _Kernels] = {}


def speaks(view: type, gather: Any, damp: Any) -> None:
    """Register the kernels of a source of evidence by the class of its view.

    Args:
        gather: a kernel (view, user, history, evidence, found, count, others) → count, which adds
            to `evidence` (float32[I], 0 where nothing was found) the source's evidence for the
            user in cache slot `user`, writes each item it finds to `found` (int32) after the first
            `count` entries, and leaves no found item at 0 (see `FAINTEST`). An item that is not 0
            in `others` (float32[I]) has already been found: writing it again costs time and changes
            nothing.
        damp: a kernel (view, slots, out), which sets `out` (float32[n]) to the factors for the
            evidence of `slots` (int32[n]), which are the same for all users.
    """
    _kernels[view] = _Kernels(gather, damp)


def gather(view, user, history, evidence, found, count, others):
    """Add the evidence of the source of `view`; see `speaks`. Only callable from kernels."""
    raise NotImplementedError


def damp(view, slots, out):
    """Set the factors for the evidence of slots; see `speaks`. Only callable from kernels."""
    raise NotImplementedError


@njit(cache=True, nogil=True, inline="always")
def fallen(x, power):
    """x^−power, for x > 0; the power ½ is by far the most common, and a tenth of the work."""
    return 1.0 / np.sqrt(x) if power == 0.5 else x**-power


@overload(gather)
def _gather(view, user, history, evidence, found, count, others):
    kernel = _kernels[view.instance_class].gather

    def call(view, user, history, evidence, found, count, others):
        return kernel(view, user, history, evidence, found, count, others)

    return call


@overload(damp)
def _damp(view, slots, out):
    kernel = _kernels[view.instance_class].damp

    def call(view, slots, out):
        kernel(view, slots, out)

    return call
