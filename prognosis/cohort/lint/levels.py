"""Texts that are not what they seem: missing spelled out, numbers as text, one level spelled in two ways."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.task import Task

MISSING = frozenset({"missing", "unknown", "unk", "na", "n/a", "nan", "null", "nil", "?", "-", "."}) | {
    "not known",
    "not available",
    "not recorded",
    "not stated",
}
NUMBER = re.compile(r"[<>]?=?\s*[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")
NUMBERS_SHARE = 0.9
_BETWEEN = re.compile(r"[\s_\-./]+")


def strange_texts(columns: tuple[Column, ...], task: Task, limits: Thresholds) -> Iterator[Finding]:
    """Findings about the texts of each column."""
    categorical = frozenset(() if task.table is None else task.table.categorical)
    for column in columns:
        texts = Counter(text for text in column.texts if text is not None)
        total = texts.total()
        if not total:
            continue
        missing = sum(count for text, count in texts.items() if text.strip().lower() in MISSING)
        if missing:
            problem = "a text says that the value is missing"
            yield Finding("missing written as text", column.name, problem, missing, total)
        numbers = sum(count for text, count in texts.items() if NUMBER.fullmatch(text.strip()))
        declared = column.name.rpartition("|")[2] in categorical
        if len(texts) > limits.few_levels and numbers > NUMBERS_SHARE * (total - missing) and not declared:
            problem = "numbers are written as text, and so have no order"
            yield Finding("numbers written as text", column.name, problem, numbers, total)
        elif len(texts) <= limits.many_levels:
            yield from _spelled_in_two_ways(column.name, texts)


def _spelled_in_two_ways(name: str, texts: Counter[str]) -> Iterator[Finding]:
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        spellings[_BETWEEN.sub(" ", text).strip().casefold()].append(text)
    for plain, found in sorted(spellings.items()):
        if len(found) > 1 and plain:
            rarer = sum(texts[text] for text in found) - max(texts[text] for text in found)
            problem = "levels differ by case, space or punctuation only"
            yield Finding("level spelled in two ways", f"{name} = {plain}", problem, rarer, texts.total())
