"""What a scope lets a program read (SMART App Launch 2.2, scopes and launch context)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Za-z]{1,40})\.([a-z*]{1,6})(\?.*)?\Z")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
EVERYTHING = {True: "system/*.rs", False: "system/*.read"}
"""Read access to all that a program may see, in the second form of scopes and in the first."""


def reads(scope: str, kind: str, context: str) -> bool:
    """Whether a scope lets all resources of a type be read and searched.

    One that is narrowed by a query ("system/Observation.rs?category=laboratory") does not: what it leaves
    out would be missing from a record without a word.

    Args:
        scope: One scope, of either form.
        kind: The resource type.
        context: "system", "user" or "patient".
    """
    match = _SCOPE.match(scope)
    if match is None or match[1] != context or match[2] not in {"*", kind} or match[4]:
        return False
    return {"r", "s"} <= set(_V1.get(match[3], match[3]))


def names(scope: str, kind: str) -> bool:
    """Whether a scope is about a type at all, narrowed or not."""
    match = _SCOPE.match(scope)
    return match is not None and match[2] in {"*", kind}


def not_readable(
    kinds: Iterable[str], asked: tuple[str, ...], granted: tuple[str, ...], context: str
) -> tuple[str, ...]:
    """The types that may not be read as was asked for.

    A narrowed scope is enough where it was asked for in the same words: that was somebody's decision.

    Args:
        kinds: The types that are needed.
        asked: Scopes as they were asked for.
        granted: Scopes as they were granted.
        context: As `reads` takes it.
    """
    return tuple(
        kind
        for kind in kinds
        if not any(
            reads(scope, kind, context) or (scope in asked and names(scope, kind)) for scope in granted
        )
    )
