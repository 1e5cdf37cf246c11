"""What a server answered, and what is told of an answer that was not hoped for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.fhir.http.outcome import stated_issues
from connectors.fhir.http.retry import is_retried
from prognosis.errors import SourceError


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: Of HTTP.
        headers: Names in any case.
        content: Inflated.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def accepted(self) -> bool:
        """Whether the server says that it did what was asked."""
        return 200 <= self.status <= 299

    def told(self) -> str:
        """Its status, with the types of issue that it states."""
        issues = stated_issues(self.content)
        why = f" ({', '.join(issues)})" if issues else ""
        return f"status {self.status}{why}"


def refused(answer: Answer, reference: str, attempts: int) -> SourceError:
    """The error that a status is which no answer was hoped for, told without the server's own prose."""
    times = f" in {attempts} attempts" if attempts > 1 else ""
    if answer.status in (401, 403):
        remedy = "give a token (PROGNOSIS_FHIR_TOKEN), or log in with a key, whose scopes allow this read"
    elif 300 <= answer.status <= 399:
        remedy = "name the address that it redirects to"
    elif answer.status == 404:
        remedy = (
            "check the address: a FHIR server's base, as https://host/fhir, and the id where one is named"
        )
    elif is_retried(answer.status):
        remedy = "try again later"
    else:
        remedy = "check the address, and that the server supports this search"
    return SourceError(reference, f"answers with {answer.told()}{times}", remedy)
