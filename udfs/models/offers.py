"""What else the sources offer to the kernel that makes a list: candidates by name, and reasons.

A source that finds candidates without the ranker, or that explains its own, can do so within the
one compiled call that makes the lists of a batch. As with evidence (`udfs.models.evidence`), it
registers a kernel by the class of its view; one that registers none is asked in Python, before and
after that call.

In: `names(View, kernel)`, `explains(View, kernel)`. Out: `name` and `explain`, to be called from
kernels.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

from numba.extending import overload

_names: dict[type, Any] = {}
_explains: dict[type, Any] = {}


def names(view: type, kernel: Any) -> None:
    """Register the kernel of a source whose `Model.naming` returns views of this class.

    Args:
        kernel: (view, asked, history, scratch, column, n), which sets n columns of `asked.extra`
            from `column` on, in the rows from `asked.begin` to `asked.end` − 1, to the best items
            of each of `asked.users`, alive and, if `asked.exclude`, not consumed, −1 where there
            are fewer. Of `scratch` it may use `mark`, with marks for which it adds 2 to `call[0]`
            first (`udfs.ranking.candidate_kernels.Scratch`).
    """
    _names[view] = kernel


def explains(view: type, kernel: Any) -> None:
    """Register the kernel that explains the items of a source of evidence, by the class of the view
    that `Model.evidence` returns.

    Args:
        kernel: (view, model, asked, history, shown, out), which sets `out.reasons` (int32[rows, N,
            R], −1 before) of those items of the rows from `asked.begin` to `asked.end` − 1 for
            which `out.models` is `model`, as `Model.explain` does. shown: int32[I], memory, all 0,
            left so.
    """
    _explains[view] = kernel


def can_explain(view: type) -> bool:
    """Whether the source with this view explains its items by a kernel."""
    return view in _explains


def name(view, asked, history, scratch, column, n):
    """Name the best items of the source of `view`; see `names`. Only callable from kernels."""
    raise NotImplementedError


def explain(view, model, asked, history, shown, out):
    """Explain the items of the source of `view`; see `explains`. Only callable from kernels."""
    raise NotImplementedError


@overload(name)
def _name(view, asked, history, scratch, column, n):
    kernel = _names[view.instance_class]

    def call(view, asked, history, scratch, column, n):
        kernel(view, asked, history, scratch, column, n)

    return call


@overload(explain)
def _explain(view, model, asked, history, shown, out):
    kernel = _explains.get(view.instance_class)
    if kernel is None:
        return lambda view, model, asked, history, shown, out: None

    def call(view, model, asked, history, shown, out):
        kernel(view, model, asked, history, shown, out)

    return call
