"""A line of JSON as constant texts and values, each value with its path."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from connectors.fhir.ingest.elements import ABOUT, COMPARED, DATE, NAME, NUMBER, Elements

_TOKEN = re.compile(
    rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}\[\],:]|[ \t\r\n]+'
)


@dataclass(frozen=True, slots=True)
class Value:
    """A string or a number in a line.

    Attributes:
        begin: Where it begins; of a string, behind the quotation mark.
        end: Where it ends; of a string, its second quotation mark.
        number: Whether it is a number.
        path: Keys and places in arrays.
    """

    begin: int
    end: int
    number: bool
    path: tuple[str | int, ...]

    def role(self, elements: Elements) -> int:
        """What the mapping does with it."""
        role = elements.role(".".join(key for key in self.path if isinstance(key, str)))
        if (role in (NAME, ABOUT, DATE) and self.number) or (role == NUMBER and not self.number):
            return COMPARED
        return role


def values_of(line: bytes) -> list[Value]:
    """The strings and numbers of a line that the strict parser accepted, but for `resourceType` itself."""
    found: list[Value] = []
    keys: list[str | int] = []  # of each open object the key, of each open array the place
    key_next = False
    for token in _TOKEN.finditer(line):
        text, sign = token[0], token[0][:1]
        if sign == b'"' and key_next:
            keys[-1] = json.loads(text)
            key_next = False
        elif sign == b'"':
            if keys != ["resourceType"]:
                found.append(Value(token.start() + 1, token.end() - 1, False, tuple(keys)))
        elif sign in b"-0123456789":
            found.append(Value(token.start(), token.end(), True, tuple(keys)))
        elif sign in b"{[":
            key_next = sign == b"{"
            keys.append("" if key_next else 0)
        elif sign in b"}]":
            keys.pop()
            key_next = False
        elif sign == b",":
            key_next = isinstance(keys[-1], str)
            if not key_next:
                keys[-1] = int(keys[-1]) + 1
    return found
