"""Codes looked up among codes, of which some stand for all that begin as they do ("…/icd-10-cm|I50*")."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")


class CodeTable(Generic[Meaning]):
    """What each code means; a code that ends in * stands for every code that begins as it does.

    Where several apply the code itself comes first, then the longest beginning.

    Args:
        pairs: Codes, "system|value", each with its meaning; of one code given twice the first counts.
    """

    def __init__(self, pairs: Sequence[tuple[str, Meaning]]) -> None:
        whole = [(code, meaning) for code, meaning in pairs if not code.endswith("*")]
        begun = [(code[:-1], meaning) for code, meaning in pairs if code.endswith("*")]
        self._exact = dict(reversed(whole))
        self._begun = dict(reversed(begun))
        self._lengths = sorted({len(code) for code in self._begun}, reverse=True)

    def get(self, code: str) -> Meaning | None:
        """What a code means; None where the table does not say."""
        if code in self._exact:
            return self._exact[code]
        for length in self._lengths:
            if code[:length] in self._begun:
                return self._begun[code[:length]]
        return None

    def __bool__(self) -> bool:
        return bool(self._exact or self._begun)


def is_among(code: str, codes: Collection[str]) -> bool:
    """Whether a code is one of `codes`, or begins as one of them that ends in * does."""
    if code in codes:
        return True
    return any(code.startswith(beginning) for beginning in _beginnings(tuple(codes)))


def overlap(codes: Sequence[str]) -> tuple[str, str] | None:
    """A code and one that stands for it too, with its * or as its double; None where all are apart."""
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            return code, code
        seen.add(code)
    for begun in _beginnings(tuple(codes)):
        inside = next((code for code in codes if code.startswith(begun) and code != f"{begun}*"), None)
        if inside is not None:
            return inside, f"{begun}*"
    return None


@lru_cache(maxsize=512)
def _beginnings(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code[:-1] for code in codes if code.endswith("*"))
