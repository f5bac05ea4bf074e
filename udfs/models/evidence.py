"""What all sources of evidence by item share, and how the ranker's kernels find theirs.

Evidence is an amount for each item that a source speaks for, 0 for all others. A source hands the
kernels a view, a NamedTuple class of its own, and registers two kernels by that class: Numba picks
them when it compiles for the tuple of all views, so a call costs nothing and the compiled code
stays in the cache on disk, one entry for each set of sources.

In: `speaks(View, gather, damp)`. Out: `gather` and `damp`, to be called from kernels.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

ZERO = np.float32(0.0)
FAINTEST = np.float32(1e-30)  # what evidence that cancels out becomes, so that it stays found


class _Kernels(NamedTuple):
    gather: Any
    damp: Any


_kernels: dict[type, _Kernels] = {}


def speaks(view: type, gather: Any, damp: Any) -> None:
    """Register the kernels of a source of evidence by the class of its view.

    Args:
        gather: a kernel (view, user, history, evidence, found, count, others) → count, which adds
            to `evidence` (float32[I], 0 where nothing has been found) what the source says to the
            user in cache slot `user`, writes each item it finds to `found` (int32) behind the first
            `count`, and leaves no found item at 0 (see `FAINTEST`). An item that is not 0 in
            `others` (float32[I]) has been found: writing it again costs time and changes nothing.
        damp: a kernel (view, slots, out), which sets `out` (float32[n]) to what the evidence of
            `slots` (int32[n]) is multiplied by, whoever the list is for.
    """
    _kernels[view] = _Kernels(gather, damp)


def gather(view, user, history, evidence, found, count, others):
    """Add what the source of `view` says; see `speaks`. For kernels alone."""
    raise NotImplementedError


def damp(view, slots, out):
    """Set what the evidence of slots is multiplied by; see `speaks`. For kernels alone."""
    raise NotImplementedError


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
