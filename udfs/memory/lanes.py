"""What of many bytes reaches a limit, many at once: instructions that Numba has no name for.

In: bytes and a place. Out: how many of those that stand there reach it, or which. Where few do,
nobody could predict which, and a loop over them one by one would wait for each.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numba.core import cgutils, types
from numba.extending import intrinsic

COUNTED, PICKED = 64, 16  # bytes that are looked at in one go
_I8, _I32 = ir.IntType(8), ir.IntType(32)


def _all(builder: Any, value: Any, kind: Any, lanes: int) -> Any:
    """A vector of the same value."""
    vector = ir.VectorType(kind, lanes)
    nothing, first = ir.Constant(vector, ir.Undefined), ir.Constant(_I32, 0)
    one = builder.insert_element(nothing, value, first)
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(_I32, lanes), None))


def _at(builder: Any, view: Any, place: Any, kind: Any, lanes: int) -> Any:
    """The address of so many numbers in an array."""
    address = builder.gep(view.data, [place])
    return builder.bitcast(address, ir.VectorType(kind, lanes).as_pointer())


def _reaching(context: Any, builder: Any, signature: Any, args: Any, lanes: int) -> Any:
    """Which of the bytes `args[0]` from `args[1]` on are `args[2]` or more, a bit for each."""
    view = context.make_array(signature.args[0])(context, builder, args[0])
    found = builder.load(_at(builder, view, args[1], _I8, lanes))
    found.align = 1
    return builder.icmp_unsigned(">=", found, _all(builder, args[2], _I8, lanes))


def _count(builder: Any, mask: Any, lanes: int) -> Any:
    bits = builder.ctpop(builder.bitcast(mask, ir.IntType(lanes)))
    return bits if lanes == COUNTED else builder.zext(bits, ir.IntType(64))


def _count_reaching(typingctx, array, first, least):
    """How many of `array[first : first + COUNTED]` (uint8) are `least` or more. Only callable from
    kernels."""

    def codegen(context, builder, signature, args):
        mask = _reaching(context, builder, signature, args, COUNTED)
        return _count(builder, mask, COUNTED)

    return types.int64(array, types.intp, types.uint8), codegen


def _pick_reaching(typingctx, array, first, least, out, at):
    """Write the places from `first` to `first + PICKED` of bytes (uint8) that are `least` or more
    to `out` (int32) from `at` on; returns how many. Room for PICKED is written to, whatever is
    found. Only callable from kernels."""

    def codegen(context, builder, signature, args):
        mask = _reaching(context, builder, signature, args, PICKED)
        begin = _all(builder, builder.trunc(args[1], _I32), _I32, PICKED)
        kind = ir.VectorType(_I32, PICKED)
        places = builder.add(begin, ir.Constant(kind, list(range(PICKED))))
        nothing = ir.Constant(kind, ir.Undefined)
        function = ir.FunctionType(kind, [kind, mask.type, kind])
        name = f"llvm.experimental.vector.compress.v{PICKED}i32"
        compress = cgutils.get_or_insert_function(builder.module, function, name)
        view = context.make_array(signature.args[3])(context, builder, args[3])
        picked = builder.call(compress, [places, mask, nothing])
        builder.store(picked, _at(builder, view, args[4], _I32, PICKED)).align = 4
        return _count(builder, mask, PICKED)

    return types.int64(array, types.intp, types.uint8, out, types.intp), codegen


count_reaching: Any = intrinsic(_count_reaching)
pick_reaching: Any = intrinsic(_pick_reaching)
