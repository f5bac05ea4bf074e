"""What a kernel will read soon, asked for now: an instruction that Numba has no name for.

In: an array and a place. Out: the line of 64 bytes there comes into the processor's caches while
the kernel goes on; nothing changes, and a wrong place does no harm. It pays off where addresses are
known before they are needed and look random to the processor: rows of tables larger than its
caches.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numba.core import cgutils, types
from numba.extending import intrinsic

LINE = 16  # numbers of 4 bytes in a line
_READ, _NEAREST, _DATA = 0, 3, 1  # the arguments of llvm.prefetch


def _prefetch(typingctx, array, row, column):
    """Ask for `array[row, column]`, or for `array[row]` of one dimension, `column` being 0. Only
    callable from kernels."""
    signature = types.void(array, types.intp, types.intp)

    def codegen(context, builder, signature, args):
        view = context.make_array(signature.args[0])(context, builder, args[0])
        strides = cgutils.unpack_tuple(builder, view.strides)
        offset = builder.mul(args[1], strides[0])
        if len(strides) > 1:
            offset = builder.add(offset, builder.mul(args[2], strides[1]))
        place = cgutils.pointer_add(builder, view.data, offset, cgutils.voidptr_t)
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(call, [place, i32(_READ), i32(_NEAREST), i32(_DATA)])
        return context.get_dummy_value()

    return signature, codegen


prefetch: Any = intrinsic(_prefetch)
