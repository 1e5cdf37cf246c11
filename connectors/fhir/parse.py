"""JSON read so that a hostile or damaged resource costs one rejection, never the process.

Beyond RFC 8259, refused are duplicate keys (which of the two is meant is unknown), NaN and Infinity,
numbers beyond a float (1e400), nesting beyond MAX_DEPTH, and escapes that are no Unicode text.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from prognosis.errors import MappingError

MAX_DEPTH = 64
"""FHIR R4 resources nest below 20; a hundred thousand brackets would exhaust the stack."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _RefusedError(ValueError):
    """Carries what is wrong with the JSON, without its content."""


def parse_resource(content: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `content`.

    Args:
        content: UTF-8 bytes of one JSON object; a byte order mark is accepted.
        where: File and line, for errors.

    Raises:
        MappingError: It is not UTF-8, not JSON, not an object, or refused for the reasons above.
    """
    try:
        text = content.decode("utf-8-sig")
        parsed = _DECODER.decode(text)
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(parsed)
        if _SURROGATE.search(text):
            json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise MappingError(where, "is not valid Unicode text", "send UTF-8") from error
    except _RefusedError as error:
        raise MappingError(where, str(error), "send plain JSON as FHIR R4 defines it") from error
    except RecursionError as error:
        raise MappingError(where, f"nests deeper than {MAX_DEPTH}", "send one FHIR resource") from error
    except ValueError as error:
        raise MappingError(where, "is not JSON", "send one complete JSON object") from error
    if not isinstance(parsed, dict):
        raise MappingError(where, "is not a JSON object", "send one FHIR resource")
    return parsed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "has a key twice in one object"
        raise _RefusedError(message)
    return found


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        message = "has a number beyond 1e308"
        raise _RefusedError(message)
    return number


def _constant(_: str) -> NoReturn:
    message = "has NaN or Infinity, which JSON does not have"
    raise _RefusedError(message)


def _check_depth(parsed: object) -> None:
    level = [parsed]
    for _ in range(MAX_DEPTH + 1):
        children: list[object] = []
        for node in level:
            if isinstance(node, dict):
                children.extend(value for value in node.values() if isinstance(value, (dict, list)))
            elif isinstance(node, list):
                children.extend(value for value in node if isinstance(value, (dict, list)))
        if not children:
            return
        level = children
    message = f"nests deeper than {MAX_DEPTH}"
    raise _RefusedError(message)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
