"""By which names an answer is known, so that writing it twice writes it once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from prognosis.cohort import Task

ANSWER = "urn:prognosis:answer"
"""Identifier system of everything that states an answer."""

MODEL = "urn:prognosis:model"
"""Identifier system of models; the value is the model's id, which holds the digest of its content."""

RISK = "risk"
REPORT = "report"

_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64}\Z")


def attribution_of(cause: str) -> str:
    """The kind of the Observation that explains one cause."""
    return f"attribution:{cause}"


def arm_of(name: str) -> str:
    """The kind of the RiskAssessment of one arm."""
    return f"arm:{name}"


def kinds_of(task: Task) -> tuple[tuple[str, str], ...]:
    """Resource type and kind of everything that an answer to a task may consist of, the risk first."""
    attributions = tuple(("Observation", attribution_of(cause)) for cause in task.causes)
    names = () if task.treatment is None else task.treatment.names
    arms = tuple(("RiskAssessment", arm_of(name)) for name in names)
    return (("RiskAssessment", RISK), *attributions, ("DiagnosticReport", REPORT), *arms)


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What one answer is about; equal keys are the same answer, however often it is computed.

    Attributes:
        subject: The patient on the server that is written to, "Patient/17".
        index_time: Nothing known later was used; milliseconds count.
        model_id: Name and content digest of the model.
    """

    subject: str
    index_time: datetime
    model_id: str

    def value(self, kind: str) -> str:
        """The identifier's value: a digest, so that an address that holds it names nobody."""
        return digest(self.subject, dated(self.index_time), self.model_id, kind)

    def fhir_id(self, kind: str) -> str:
        """The id under which the resource of one kind is kept."""
        return f"prognosis-{self.value(kind)}"


def digest(*parts: str) -> str:
    """160 bits that are always the same for the same parts."""
    return hashlib.sha256("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()[:40]


def device_id(model_id: str) -> str:
    """The id of a model's Device."""
    return f"prognosis-{digest(MODEL, model_id)}"


def dated(time: datetime) -> str:
    """An aware datetime as a FHIR instant in UTC, to the millisecond, which servers keep."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def cited_resource(source: str) -> str | None:
    """The resource that a source names, "DocumentReference/n1" for its sentence "DocumentReference/n1#3".

    Returns:
        None where a source is no FHIR reference.
    """
    named = source.partition("#")[0]
    return named if _REFERENCE.match(named) else None
