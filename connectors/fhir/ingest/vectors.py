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


def _loaded(builder: Any, address: Any, kind: Any) -> Any:
    found = builder.load(builder.inttoptr(address, kind.as_pointer()))
    found.align = 1
    return found


def _filled(byte: int) -> Any:
    return ir.Constant(_BYTES, [byte] * WIDTH)


def _as_bits(builder: Any, truths: Any) -> Any:
    """One bit a byte, in 64."""
    return builder.zext(builder.bitcast(truths, ir.IntType(WIDTH)), ir.IntType(64))


@intrinsic
def differing(_context: Any, one: Any, other: Any) -> Any:
    """Which bytes differ at two addresses, one bit each."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        first, second = (_loaded(builder, each, _BYTES) for each in arguments)
        return _as_bits(builder, builder.icmp_unsigned("!=", first, second))

    return types.uint64(types.int64, types.int64), made


@intrinsic
def stopping(_context: Any, address: Any) -> Any:
    """Which bytes may end a string: a quotation mark, a backslash, a control character."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        found = _loaded(builder, arguments[0], _BYTES)
        quote = builder.icmp_unsigned("==", found, _filled(34))
        escape = builder.icmp_unsigned("==", found, _filled(92))
        control = builder.icmp_unsigned("<", found, _filled(32))
        return _as_bits(builder, builder.or_(builder.or_(quote, escape), control))

    return types.uint64(types.int64), made


@intrinsic
def beyond_ascii(_context: Any, address: Any) -> Any:
    """Which bytes are no ASCII."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        found = _loaded(builder, arguments[0], _BYTES)
        return _as_bits(builder, builder.icmp_signed("<", found, _filled(0)))

    return types.uint64(types.int64), made


@intrinsic
def word(_context: Any, address: Any) -> Any:
    """Eight bytes as a number."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _loaded(builder, arguments[0], ir.IntType(64))

    return types.uint64(types.int64), made


@intrinsic
def byte(_context: Any, address: Any) -> Any:
    """One byte as a number."""

    def made(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.zext(_loaded(builder, arguments[0], ir.IntType(8)), ir.IntType(64))

    return types.int64(types.int64), made


@intrinsic
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
