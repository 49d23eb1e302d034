"""Sums of products of eight lanes with eight, held in registers: the inside of a covariance.

The compiler does not find this form by itself: a loop over lanes loads and stores its sums again and again. So the
machine code is written here by hand, as vectors of eight; each sum still takes its samples one after the other, a
product and an addition apart, so no bit depends on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.core import config
from numba.extending import intrinsic

from workbench.kernels import _jit
from workbench.kernels._jit import FloatArray

SIDE = 8
"""Lanes of a tile in either direction."""


def as_python(samples: FloatArray, i: int, j: int, out: FloatArray) -> None:
    """Sums over time of the products of lanes ``i … i + 7`` with lanes ``j … j + 7``.

    Parameters
    ----------
    samples : ``(n_times, n_lanes)`` float64. i, j : first lanes; eight from there on must exist.
    out : ``(n_lanes, n_lanes)`` float64, written at ``[i : i + 8, j : j + 8]``; not ``samples``.

    Notes
    -----
    It runs where nothing is compiled; compiled kernels get the same sums in the same order.
    """
    block = out[i : i + SIDE, j : j + SIDE]
    block[:] = 0.0
    for row in samples:
        block += row[i : i + SIDE, None] * row[j : j + SIDE]


def write_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # pragma: no cover
    """Machine code of :func:`as_python`: a loop over time that carries eight vectors. The compiler runs it."""
    from llvmlite import ir

    samples, out = (context.make_array(signature.args[k])(context, builder, value=arguments[k]) for k in (0, 3))
    i, j = arguments[1:3]
    word, number = ir.IntType(64), ir.DoubleType()
    vector, lanes = ir.VectorType(number, SIDE), ir.VectorType(ir.IntType(32), SIDE)
    nothing, first = ir.Constant(vector, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    n_times, width = (builder.extract_value(samples.shape, axis) for axis in (0, 1))
    before = builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)

    builder.position_at_end(head)
    t = builder.phi(word)
    sums = [builder.phi(vector) for _ in range(SIDE)]
    builder.cbranch(builder.icmp_signed("<", t, n_times), body, end)

    builder.position_at_end(body)
    row = builder.gep(samples.data, [builder.mul(t, width)])
    right = builder.load(builder.bitcast(builder.gep(row, [j]), vector.as_pointer()), align=8)
    added = []
    for k in range(SIDE):
        value = builder.load(builder.gep(row, [builder.add(i, word(k))]))
        left = builder.shuffle_vector(builder.insert_element(nothing, value, first), nothing, lanes([0] * SIDE))
        added.append(builder.fadd(sums[k], builder.fmul(left, right)))
    following = builder.add(t, word(1))
    builder.branch(head)

    t.add_incoming(word(0), before)
    t.add_incoming(following, body)
    for total, more in zip(sums, added, strict=True):
        total.add_incoming(vector([0.0] * SIDE), before)
        total.add_incoming(more, body)
    builder.position_at_end(end)
    for k in range(SIDE):
        place = builder.add(builder.mul(builder.add(i, word(k)), width), j)
        builder.store(sums[k], builder.bitcast(builder.gep(out.data, [place]), vector.as_pointer()), align=8)
    return context.get_dummy_value()


def typed_tile(_typing: Any, samples: Any, i: Any, j: Any, out: Any) -> Any:  # pragma: no cover
    """Types of :func:`as_python`, and who writes its code."""
    return types.void(samples, types.int64, types.int64, out), write_tile


tile: Callable[[FloatArray, int, int, FloatArray], None] = (
    as_python if vars(config)["DISABLE_JIT"] else cast(Any, intrinsic(typed_tile))
)
"""What kernels call: :func:`as_python`, or its machine code in compiled kernels."""
_jit.SOURCES[id(tile)] = frozenset({__file__})
