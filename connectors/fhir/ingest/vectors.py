"""Thirty-two bytes looked at at once: instructions that compiled loops over lines of JSON are made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

WIDTH = 32
"""Bytes that may be read beyond the end of what is looked at: buffers are longer by as many."""

_BYTES = ir.VectorType(ir.IntType(8), WIDTH)


def _instruction(made: Callable[..., Any]) -> Any:
    """A function of compiled functions that is these instructions."""
    return intrinsic(made)


def _loaded(builder: Any, address: Any, kind: Any) -> Any:
    found = builder.load(builder.inttoptr(address, kind.as_pointer()))
    found.align = 1
    return found


def _filled(byte: int) -> Any:
    return ir.Constant(_BYTES, [byte] * WIDTH)


def _as_bits(builder: Any, truths: Any) -> Any:
    """One bit a byte, in 64."""
    return builder.zext(builder.bitcast(truths, ir.IntType(WIDTH)), ir.IntType(64))


@_instruction
def differing(_context: Any, one: Any, other: Any) -> Any:
    """Which bytes differ at two addresses, one bit each."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        first, second = (_loaded(builder, each, _BYTES) for each in arguments)
        return _as_bits(builder, builder.icmp_unsigned("!=", first, second))

    return types.uint64(types.int64, types.int64), made


@_instruction
def stopping(_context: Any, address: Any) -> Any:
    """Which bytes may end a string: a quotation mark, a backslash, a control character."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        found = _loaded(builder, arguments[0], _BYTES)
        quote = builder.icmp_unsigned("==", found, _filled(34))
        escape = builder.icmp_unsigned("==", found, _filled(92))
        control = builder.icmp_unsigned("<", found, _filled(32))
        return _as_bits(builder, builder.or_(builder.or_(quote, escape), control))

    return types.uint64(types.int64), made


@_instruction
def beyond_ascii(_context: Any, address: Any) -> Any:
    """Which bytes are no ASCII."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        found = _loaded(builder, arguments[0], _BYTES)
        return _as_bits(builder, builder.icmp_signed("<", found, _filled(0)))

    return types.uint64(types.int64), made


@_instruction
def word(_context: Any, address: Any) -> Any:
    """Eight bytes as a number."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _loaded(builder, arguments[0], ir.IntType(64))

    return types.uint64(types.int64), made


@_instruction
def byte(_context: Any, address: Any) -> Any:
    """One byte as a number."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.zext(_loaded(builder, arguments[0], ir.IntType(8)), ir.IntType(64))

    return types.int64(types.int64), made


@_instruction
def whole(_context: Any, address: Any) -> Any:
    """Eight bytes as a whole number with a sign."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _loaded(builder, arguments[0], ir.IntType(64))

    return types.int64(types.int64), made


def _stored(builder: Any, address: Any, value: Any) -> Any:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1
    return ir.Constant(ir.IntType(64), 0)


@_instruction
def put(_context: Any, address: Any, value: Any) -> Any:
    """Write a whole number."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _stored(builder, arguments[0], arguments[1])

    return types.int64(types.int64, types.int64), made


@_instruction
def put_number(_context: Any, address: Any, value: Any) -> Any:
    """Write a float."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _stored(builder, arguments[0], arguments[1])

    return types.int64(types.int64, types.float64), made


@_instruction
def put_end(_context: Any, address: Any, value: Any) -> Any:
    """Write a whole number in four bytes."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _stored(builder, arguments[0], builder.trunc(arguments[1], ir.IntType(32)))

    return types.int64(types.int64, types.int64), made


@_instruction
def copied(_context: Any, to: Any, address: Any) -> Any:
    """Copy as many bytes as are looked at at once."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _stored(builder, arguments[0], _loaded(builder, arguments[1], _BYTES))

    return types.int64(types.int64, types.int64), made


@_instruction
def outside_ids(_context: Any, address: Any) -> Any:
    """Which bytes are none of A-Z a-z 0-9 - and the full stop."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        found = _loaded(builder, arguments[0], _BYTES)
        truths = None
        for first, last in ((48, 57), (65, 90), (97, 122), (45, 46)):
            among = builder.icmp_unsigned("<=", builder.sub(found, _filled(first)), _filled(last - first))
            truths = among if truths is None else builder.or_(truths, among)
        return _as_bits(builder, builder.not_(truths))

    return types.uint64(types.int64), made


@_instruction
def lowest(_context: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set; of none, 64."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), made


def compiled(function: Callable[..., Any]) -> Any:
    """Machine code of a function, kept on disk where there is a folder for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder that machine code may be kept in
        return njit(nogil=True)(function)
