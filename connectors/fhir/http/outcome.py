"""OperationOutcome: what a server says about an answer, without the prose in which it may name patients."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.fhir.mapping_fields import Json
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError

ISSUE_TYPES = frozenset(
    {
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "security",
        "login",
        "unknown",
        "expired",
        "forbidden",
        "suppressed",
        "processing",
        "not-supported",
        "duplicate",
        "multiple-matches",
        "not-found",
        "deleted",
        "too-long",
        "code-invalid",
        "extension",
        "too-costly",
        "business-rule",
        "conflict",
        "transient",
        "lock-error",
        "no-store",
        "exception",
        "timeout",
        "incomplete",
        "throttled",
        "informational",
    }
)
"""FHIR R4 value set issue-type."""

SEVERITIES = frozenset({"fatal", "error", "warning", "information"})


def issues_of(outcome: Json) -> Iterator[tuple[str, str]]:
    """Severity and type of each issue; "error" and "unknown" where the server gives none that R4 defines."""
    issues = outcome.get("issue")
    for issue in issues if isinstance(issues, list) else ():
        stated = issue if isinstance(issue, dict) else {}
        severity, code = stated.get("severity"), stated.get("code")
        yield (
            severity if isinstance(severity, str) and severity in SEVERITIES else "error",
            code if isinstance(code, str) and code in ISSUE_TYPES else "unknown",
        )


def stated_issues(content: bytes) -> tuple[str, ...]:
    """The types of issue in the body of a refusal, each once; empty where it is no OperationOutcome."""
    try:
        outcome = parse_resource(content, "answer")
    except MappingError:
        return ()
    if outcome.get("resourceType") != "OperationOutcome":
        return ()
    return tuple(dict.fromkeys(code for _, code in issues_of(outcome)))
