"""A float32 as the integer of the same bits, and back: instructions that Numba has no name for.

In: a number. Out: the same 32 bits as another type. What a loop does with the bits of each number
is vectorised this way; by two views of an array it would not be, which might overlap otherwise.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic


def _as(to: Any) -> Any:
    def cast(typingctx, number):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(signature.return_type))

        return to(number), codegen

    return intrinsic(cast)


as_int32: Any = _as(types.int32)
"""The bits of a float32 as an int32. Only callable from kernels."""
as_float32: Any = _as(types.float32)
"""The float32 that an int32 has the bits of. Only callable from kernels."""
