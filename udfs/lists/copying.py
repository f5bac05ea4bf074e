"""Bytes copied within a kernel by one instruction: fragments of JSON are too short for a loop.

In: two arrays of bytes and places. Out: the second one changed.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numba.core import cgutils, types
from numba.extending import intrinsic


def _copy(typingctx, source, begin, stop, out, end):
    """Copy `source[begin:stop]` to `out[end:]`, where there must be room; returns where that ends.
    Both uint8, contiguous, not the same. Only callable from kernels."""
    signature = types.intp(source, types.intp, types.intp, out, types.intp)

    def codegen(context, builder, signature, args):
        source, begin, stop, out, end = args
        views = [
            context.make_array(kind)(context, builder, array)
            for kind, array in ((signature.args[0], source), (signature.args[3], out))
        ]
        size = builder.sub(stop, begin)
        whence = builder.gep(views[0].data, [begin])
        where = builder.gep(views[1].data, [end])
        cgutils.raw_memcpy(builder, where, whence, size, ir.Constant(size.type, 1))
        return builder.add(end, size)

    return signature, codegen


copy: Any = intrinsic(_copy)
