"""Findings that the task file accepts, with its reason: shown and counted, but they do not fail the check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from prognosis.cohort.lint.finding import Finding
from prognosis.cohort.task import Accepted


def accepting(findings: Iterable[Finding], accepted: tuple[Accepted, ...]) -> Iterator[Finding]:
    """The findings, those that the task accepts marked with its reason; then what accepted nothing.

    An acceptance covers the findings of one kind about one code, or about one level of it.
    """
    used: set[Accepted] = set()
    for finding in findings:
        own = next((a for a in accepted if _covers(a, finding)), None)
        if own is None:
            yield finding
            continue
        used.add(own)
        yield replace(finding, accepted=own.because)
    for unused in accepted:
        if unused not in used:
            problem = f'the task accepts "{unused.kind}" of it, which was not found'
            yield Finding("acceptance matches nothing", unused.code, problem, 0, 1)


def _covers(accepted: Accepted, finding: Finding) -> bool:
    return accepted.kind == finding.kind and accepted.code in {finding.subject, finding.code}
