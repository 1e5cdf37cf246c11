"""The columns of a pickled pandas table, read without running anything that the pickle asks for.

Some packages keep their data frames only as pickles. A pickle is a program: loading it calls whatever it
names. Here every name it may use is answered by an inert stand-in defined in this file, any other name is
refused, and the columns are put together from the number buffers and lists that the stand-ins collected.
"""

from __future__ import annotations

import io
import lzma
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from prognosis.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

BYTES_BUDGET = 512 * 2**20
KINDS = frozenset("biufO")

Part: TypeAlias = Any
"""Whatever a pickle holds: a stand-in below, or a plain value."""


class _Inert:
    """Stands in for a class: remembers its arguments and its state, and does nothing."""

    def __init__(self, *arguments: Part) -> None:
        self.arguments = arguments
        self.state: Part = None

    def __setstate__(self, state: Part) -> None:
        self.state = state


class _Frame(_Inert): ...


class _Blocks(_Inert): ...


class _Index(_Inert): ...


class _Range(_Inert): ...


class _Categorical(_Inert): ...


class _Masked(_Inert): ...


class _Strings(_Inert): ...


class _Kind(_Inert): ...


class _Array(_Inert):
    """Stands in for numpy.ndarray; its state is (version, shape, type, column-major, values)."""

    def values(self) -> NDArray[Any]:
        _, shape, kind, column_major, content = self.state
        flat: NDArray[Any]
        if isinstance(content, list):
            flat = np.empty(len(content), dtype=object)
            flat[:] = content
        else:
            flat = np.frombuffer(content, dtype=_number_type(kind))
        return flat.reshape(tuple(shape), order="F" if column_major else "C")


class _Buffer(_Inert):
    """Stands in for an array made from a buffer: arguments are (bytes, type, shape, order)."""

    def values(self) -> NDArray[Any]:
        content, kind, shape, order = self.arguments
        values: NDArray[Any] = np.frombuffer(content, dtype=_number_type(kind))
        return values.reshape(tuple(shape), order=order)


class _Block(_Inert):
    """Stands in for a block of columns: arguments are (values, places, dimensions)."""


def _new_index(kind: type[_Inert], state: dict[str, Part]) -> _Inert:
    index = kind()
    index.state = state
    return index


def _new_array(*_arguments: Part) -> _Array:
    return _Array()


def _new_backed(kind: type[_Inert], *_arguments: Part) -> _Inert:
    return kind()


_STAND_INS: dict[tuple[str, str], Part] = {
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Blocks,
    ("pandas._libs.internals", "_unpickle_block"): _Block,
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"): _new_backed,
    ("pandas.core.indexes.base", "_new_Index"): _new_index,
    ("pandas.core.indexes.base", "Index"): _Index,
    ("pandas.core.indexes.range", "RangeIndex"): _Range,
    ("pandas.core.arrays.categorical", "Categorical"): _Categorical,
    ("pandas.core.dtypes.dtypes", "CategoricalDtype"): _Kind,
    ("pandas.core.arrays.integer", "IntegerArray"): _Masked,
    ("pandas.core.arrays.integer", "Int32Dtype"): _Kind,
    ("pandas.core.arrays.integer", "Int64Dtype"): _Kind,
    ("pandas.core.arrays.boolean", "BooleanArray"): _Masked,
    ("pandas.core.arrays.boolean", "BooleanDtype"): _Kind,
    ("numpy", "dtype"): _Kind,
    ("numpy", "ndarray"): _Array,
    ("builtins", "slice"): slice,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _new_array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Buffer for core in ("core", "_core")},
}


class _Reader(pickle.Unpickler):
    """Answers only the names above."""

    def find_class(self, module_name: str, global_name: str, /) -> Part:
        try:
            return _STAND_INS[module_name, global_name]
        except KeyError:
            message = f"names {module_name}.{global_name}"
            raise pickle.UnpicklingError(message) from None


def read_pickled_frame(path: Path) -> pd.DataFrame:
    """The table in a pickle, plain or xz-compressed.

    Raises:
        SourceError: The file is absent, too large, no pickled table, or names anything but one's parts.
    """
    import pandas as pd

    try:
        content = _content(path)
        frame = _Reader(io.BytesIO(content)).load()
        columns = _columns(frame)
    except OSError as error:
        raise SourceError(str(path), "cannot be read", "check the package's installation") from error
    except (
        pickle.UnpicklingError,
        lzma.LZMAError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ) as error:
        raise SourceError(
            str(path),
            "is not a pickled table of plain columns",
            "save the table as CSV and use table:FILE.csv",
        ) from error
    return pd.DataFrame(columns)


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    if raw.startswith(b"\xfd7zXZ"):
        raw = lzma.LZMADecompressor().decompress(raw, max_length=BYTES_BUDGET + 1)
    if len(raw) > BYTES_BUDGET:
        raise SourceError(str(path), "is larger than a table should be", f"give at most {BYTES_BUDGET} bytes")
    return raw


def _columns(frame: Part) -> dict[str, Any]:
    blocks = frame.state["_mgr"]
    names_index = blocks.state[0][0] if blocks.arguments == () else blocks.arguments[1][0]
    names = [str(name) for name in _index_values(names_index)]
    columns: dict[int, Any] = {}
    for block in blocks.arguments[0]:
        values, places, _ = block.arguments
        rows = _array_values(values)
        for position, place in enumerate(_places(places)):
            columns[place] = rows if rows.ndim == 1 else rows[position]
    return {name: columns[place] for place, name in enumerate(names)}


def _places(places: Part) -> list[int]:
    if isinstance(places, slice):
        return list(range(places.start, places.stop, places.step or 1))
    return [int(place) for place in _array_values(places)]


def _index_values(index: Part) -> list[Any]:
    if isinstance(index, _Range):
        return list(range(index.state["start"], index.state["stop"], index.state["step"]))
    values: list[Any] = _array_values(index.state["data"]).tolist()
    return values


def _array_values(array: Part) -> NDArray[Any]:
    """The values that a stand-in collected; categories are put back in place of their numbers."""
    if isinstance(array, _Array | _Buffer):
        return array.values()
    if isinstance(array, _Masked):
        values = _array_values(array.state["_data"]).astype(object)
        values[_array_values(array.state["_mask"]).astype(bool)] = None
        return values
    if isinstance(array, _Categorical):
        kind, codes = _categorical_parts(array.state)
        categories = [*_index_values(kind), None]
        values = np.empty(codes.size, dtype=object)
        values[:] = [categories[code] for code in codes.reshape(-1)]
        return values
    message = f"columns of the kind {type(array).__name__}"
    raise TypeError(message)


def _categorical_parts(state: Part) -> tuple[Any, NDArray[Any]]:
    kind, codes = state[0], state[1]
    if not isinstance(kind, _Kind):
        kind, codes = codes, kind
    return kind.state["categories"], _array_values(codes)


def _number_type(kind: _Kind) -> np.dtype[Any]:
    """A numpy type of plain numbers, from the arguments and state of its stand-in."""
    name = str(kind.arguments[0])
    byte_order = kind.state[1] if kind.state else "="
    found = np.dtype(name).newbyteorder(">" if byte_order == ">" else "<")
    if found.kind not in KINDS or found.hasobject:
        message = f"values of the type {name}"
        raise ValueError(message)
    return found
