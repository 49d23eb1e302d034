"""Eight lanes at a time, kept in registers: the inner loops of a covariance.

The compiler does not find these forms: it cannot know that a sum and the samples do not overlap in memory, so it
loads and stores the sum again and again, and takes the last lanes of a row one by one. So the machine code
is written here by hand, as vectors of eight; each sum still takes its samples one after the other, a product and
an addition apart, so no bit depends on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from workbench.kernels import _jit
from workbench.kernels._jit import FloatArray

SIDE = 8
"""Lanes of a vector."""

ROWS = 8
"""Samples that one call of ``add_rows`` takes: the sum of eight lanes stays in a register between them."""

Python = TypeVar("Python", bound=Callable[..., None])
Products = Callable[[FloatArray, int, int, int, FloatArray], None]


# ------------------------------------------------------------------ where nothing is compiled
def products_in_python(n_left: int, *, triangle: bool) -> Products:
    """Sums of products of ``n_left`` lanes with eight.

    Parameters
    ----------
    n_left : 1 to 8.
    triangle : whether the left lanes are the last of the eight, so that half of the products would come twice: the
        last four are then multiplied with one another only.
    """

    def products(centred: FloatArray, n_rows: int, i: int, j: int, sums: FloatArray) -> None:
        """Add the products of lanes ``i … i + n_left - 1`` with lanes ``j … j + 7``, sample after sample.

        Parameters
        ----------
        centred : ``(n_times, width)`` float64. n_rows : samples that are taken, from the first.
        i, j : first lanes.
        sums : ``(width, width)`` float64, added to at ``[i : i + n_left, j : j + 8]``; not ``centred``.
        """
        for k in range(n_left):
            first = j + _skipped(k, n_left, triangle=triangle)
            for row in centred[:n_rows]:
                sums[i + k, first : j + SIDE] += row[i + k] * row[first : j + SIDE]

    return products


def _skipped(k: int, n_left: int, *, triangle: bool) -> int:
    """Right lanes with which left lane ``k`` need not be multiplied: none or four, as vectors are halved."""
    return SIDE // 2 if triangle and k >= n_left - SIDE // 2 else 0


def add_rows_in_python(window: FloatArray, t: int, lane: int, sums: FloatArray, at: int) -> None:
    """Add samples ``t … t + 7`` of lanes ``lane … lane + 7`` to ``sums[at : at + 8]``, sample after sample.

    Parameters
    ----------
    window : ``(n_times, n)`` float64. t, lane : the first; eight from there on must exist.
    sums : ``(width,)`` float64, added to; not ``window``. at : the first element.
    """
    for row in window[t : t + ROWS]:
        sums[at : at + SIDE] += row[lane : lane + SIDE]


def subtract_in_python(
    window: FloatArray, t: int, lane: int, mean: FloatArray, at: int, n_rows: int, out: FloatArray
) -> None:
    """Write samples of lanes ``lane … lane + 7`` without their mean.

    Parameters
    ----------
    window : ``(n_times, n)`` float64. t, lane : first sample and lane; eight lanes from there on must exist.
    mean : ``(width,)`` float64; ``mean[at : at + 8]`` is taken off.
    n_rows : samples that are taken.
    out : ``(n_rows or more, width)`` float64, written at ``[: n_rows, at : at + 8]``; not ``window``.
    """
    out[:n_rows, at : at + SIDE] = window[t : t + n_rows, lane : lane + SIDE] - mean[at : at + SIDE]


def prefetch_in_python(window: FloatArray, t: int, lane: int, n_lanes: int, n_rows: int) -> None:
    """Ask for samples that are needed soon, so that they are on their way from memory while others are worked on.

    Parameters
    ----------
    window : ``(n_times, n)`` float64; nothing of it is read or written, and no value depends on it.
    t, lane : first sample and lane. n_lanes, n_rows : how many.
    """


# ------------------------------------------------------------------ machine code; the compiler runs it
class _Writer:  # pragma: no cover
    """Writes vectors of eight lanes into a function that is being compiled."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        from llvmlite import ir

        self.ir, self.builder = ir, builder
        self.word = ir.IntType(64)
        self._context, self._types, self._arguments = context, signature.args, arguments

    def array(self, k: int) -> Any:
        """Argument ``k``, an array."""
        return self._context.make_array(self._types[k])(self._context, self.builder, value=self._arguments[k])

    def place(self, array: Any, *index: Any) -> Any:
        """Address of an element of an array of one or two dimensions, C-contiguous."""
        flat = index[0]
        if len(index) == 2:
            width = self.builder.extract_value(array.shape, 1)
            flat = self.builder.add(self.builder.mul(index[0], width), index[1])
        return self.builder.gep(array.data, [flat])

    def vector(self, n: int = SIDE) -> Any:
        """The type of ``n`` elements side by side."""
        return self.ir.VectorType(self.ir.DoubleType(), n)

    def load(self, address: Any, n: int = SIDE) -> Any:
        """``n`` elements; arrays are aligned to an element only."""
        return self.builder.load(self.builder.bitcast(address, self.vector(n).as_pointer()), align=8)

    def store(self, value: Any, address: Any) -> None:
        """All elements of a vector."""
        self.builder.store(value, self.builder.bitcast(address, value.type.as_pointer()), align=8)

    def repeated(self, address: Any, n: int) -> Any:
        """One element, ``n`` times."""
        nothing, first = (
            self.ir.Constant(self.vector(n), self.ir.Undefined),
            self.ir.Constant(self.ir.IntType(32), 0),
        )
        lanes = self.ir.VectorType(self.ir.IntType(32), n)([0] * n)
        vector = self.builder.insert_element(nothing, self.builder.load(address), first)
        return self.builder.shuffle_vector(vector, nothing, lanes)

    def after(self, start: Any, k: int) -> Any:
        """``start + k``."""
        return self.builder.add(start, self.word(k))


def _write_products(n_left: int, *, triangle: bool) -> Callable[..., Any]:  # pragma: no cover
    """A loop over time that carries the sums of each left lane in a vector."""

    def write_code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write = _Writer(context, builder, signature, arguments)
        centred, sums = write.array(0), write.array(4)
        n_rows, i, j = arguments[1:4]
        skipped = [_skipped(k, n_left, triangle=triangle) for k in range(n_left)]
        addresses = [write.place(sums, write.after(i, k), write.after(j, skip)) for k, skip in enumerate(skipped)]
        starts = [write.load(address, SIDE - skip) for address, skip in zip(addresses, skipped, strict=True)]
        before = builder.block
        head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
        builder.branch(head)

        builder.position_at_end(head)
        t = builder.phi(write.word)
        totals = [builder.phi(start.type) for start in starts]
        builder.cbranch(builder.icmp_signed("<", t, n_rows), body, end)

        builder.position_at_end(body)
        right = {
            skip: write.load(write.place(centred, t, write.after(j, skip)), SIDE - skip) for skip in set(skipped)
        }
        added = []
        for k, skip in enumerate(skipped):
            left = write.repeated(write.place(centred, t, write.after(i, k)), SIDE - skip)
            # A product and a sum: fused, they would give other bits than the covariances of stored decoders have.
            added.append(builder.fadd(totals[k], builder.fmul(left, right[skip])))
        following = write.after(t, 1)
        builder.branch(head)

        t.add_incoming(write.word(0), before)
        t.add_incoming(following, body)
        for total, start, updated in zip(totals, starts, added, strict=True):
            total.add_incoming(start, before)
            total.add_incoming(updated, body)
        builder.position_at_end(end)
        for total, address in zip(totals, addresses, strict=True):
            write.store(total, address)
        return context.get_dummy_value()

    return write_code


def _write_add_rows(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # pragma: no cover
    """Eight loads and additions between one load and one store of the sum."""
    write = _Writer(context, builder, signature, arguments)
    window, sums = write.array(0), write.array(3)
    t, lane, at = arguments[1], arguments[2], arguments[4]
    total = write.load(write.place(sums, at))
    for k in range(ROWS):
        total = builder.fadd(total, write.load(write.place(window, write.after(t, k), lane)))
    write.store(total, write.place(sums, at))
    return context.get_dummy_value()


def _write_subtract(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # pragma: no cover
    """A loop over time with the mean in a register."""
    write = _Writer(context, builder, signature, arguments)
    window, mean, out = write.array(0), write.array(3), write.array(6)
    t, lane, at, n_rows = arguments[1], arguments[2], arguments[4], arguments[5]
    level, before = write.load(write.place(mean, at)), builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)

    builder.position_at_end(head)
    row = builder.phi(write.word)
    builder.cbranch(builder.icmp_signed("<", row, n_rows), body, end)

    builder.position_at_end(body)
    sample = write.load(write.place(window, builder.add(t, row), lane))
    write.store(builder.fsub(sample, level), write.place(out, row, at))
    following = write.after(row, 1)
    builder.branch(head)

    row.add_incoming(write.word(0), before)
    row.add_incoming(following, body)
    builder.position_at_end(end)
    return context.get_dummy_value()


def _write_prefetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # pragma: no cover
    """One request for every eight lanes of each row, as a line of the cache holds eight numbers."""
    write = _Writer(context, builder, signature, arguments)
    window, (t, lane, n_lanes, n_rows) = write.array(0), arguments[1:]
    byte, flag = write.ir.IntType(8).as_pointer(), write.ir.IntType(32)
    name = "llvm.prefetch.p0"
    ask = builder.module.globals.get(name) or write.ir.Function(
        builder.module, write.ir.FunctionType(write.ir.VoidType(), [byte, flag, flag, flag]), name
    )
    with (
        cgutils.for_range(builder, n_rows) as row,
        cgutils.for_range_slice(builder, write.word(0), n_lanes, write.word(SIDE)) as (column, _),
    ):
        place = write.place(window, builder.add(t, row.index), builder.add(lane, column))
        # To be read, kept in the second cache as the first is full of what is worked on, and data.
        builder.call(ask, [builder.bitcast(place, byte), flag(0), flag(2), flag(1)])
    return context.get_dummy_value()


# ------------------------------------------------------------------ types, and who writes the code
def _typed_add_rows(_typing: Any, window: Any, t: Any, lane: Any, sums: Any, at: Any) -> Any:  # pragma: no cover
    """Of :func:`add_rows_in_python`."""
    return types.void(window, types.int64, types.int64, sums, types.int64), _write_add_rows


def _typed_subtract(
    _typing: Any, window: Any, t: Any, lane: Any, mean: Any, at: Any, n_rows: Any, out: Any
) -> Any:  # pragma: no cover
    """Of :func:`subtract_in_python`."""
    return types.void(window, types.int64, types.int64, mean, types.int64, types.int64, out), _write_subtract


def _typed_prefetch(
    _typing: Any, window: Any, t: Any, lane: Any, n_lanes: Any, n_rows: Any
) -> Any:  # pragma: no cover
    """Of :func:`prefetch_in_python`."""
    return types.void(window, types.int64, types.int64, types.int64, types.int64), _write_prefetch


def _compiled(python: Python, typed: Callable[..., Any]) -> Python:
    """What kernels call: ``python``, or its machine code in compiled kernels."""
    function: Any = python if vars(config)["DISABLE_JIT"] else intrinsic(typed)
    _jit.SOURCES[id(function)] = frozenset({__file__})
    return cast(Python, function)


def _products(n_left: int, *, triangle: bool) -> Products:
    """What kernels call for ``n_left`` left lanes; see :func:`products_in_python`."""

    def typed(_typing: Any, centred: Any, n_rows: Any, i: Any, j: Any, sums: Any) -> Any:  # pragma: no cover
        signature = types.void(centred, types.int64, types.int64, types.int64, sums)
        return signature, _write_products(n_left, triangle=triangle)

    return _compiled(products_in_python(n_left, triangle=triangle), typed)


# The last group of eight lanes has fewer new ones where the number of lanes is not a multiple of eight.
tile_2, triangle_2 = _products(2, triangle=False), _products(2, triangle=True)
tile_4, triangle_4 = _products(4, triangle=False), _products(4, triangle=True)
tile_6, triangle_6 = _products(6, triangle=False), _products(6, triangle=True)
tile_8, triangle_8 = _products(8, triangle=False), _products(8, triangle=True)
add_rows = _compiled(add_rows_in_python, _typed_add_rows)
subtract = _compiled(subtract_in_python, _typed_subtract)
prefetch = _compiled(prefetch_in_python, _typed_prefetch)
