"""What CDS clients send and are sent (https://cds-hooks.hl7.org/2.0/); other fields are passed over."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,64}$")]
"""FHIR R4, section 2.24.0.1."""

PATIENT_VIEW: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/7", "patientId": "sim0-00007"},
    "prefetch": {"patient": {"resourceType": "Patient", "id": "sim0-00007"}},
}


class Sent(BaseModel):
    """A part of what a client sends."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class FhirAuthorization(Sent):
    """Access to the client's FHIR server, for as long as it answers."""

    access_token: str = Field(min_length=1, max_length=16_384, repr=False)
    token_type: Literal["Bearer"]
    expires_in: int | None = None
    scope: str = ""
    subject: str = ""
    patient: str | None = None


class Context(Sent):
    """What is open in the EHR; order-select has its draft orders beside, which are not read."""

    patientId: FhirId  # noqa: N815 - the standard's name
    userId: str = ""  # noqa: N815


class HookRequest(Sent):
    """One call of a service."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"examples": [PATIENT_VIEW]})
    hook: str = Field(min_length=1, max_length=64)
    hookInstance: str = Field(min_length=1, max_length=128)  # noqa: N815
    context: Context
    fhirServer: str | None = Field(default=None, max_length=2048)  # noqa: N815
    fhirAuthorization: FhirAuthorization | None = None  # noqa: N815
    prefetch: dict[str, Any] | None = None


class Feedback(Sent):
    """What a user did with a card."""

    card: str = Field(pattern=r"^[0-9a-fA-F-]{36}$")
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: str = Field(min_length=1, max_length=64)  # noqa: N815
    acceptedSuggestions: tuple[dict[str, Any], ...] = Field(default=(), max_length=32)  # noqa: N815
    overrideReason: dict[str, Any] | None = None  # noqa: N815


class FeedbackRequest(Sent):
    """Feedback on some cards."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "feedback": [
                        {
                            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
                            "outcome": "accepted",
                            "outcomeTimestamp": "2026-03-02T12:05:31Z",
                        }
                    ]
                }
            ]
        },
    )
    feedback: tuple[Feedback, ...] = Field(min_length=1, max_length=100)


DISCOVERED: dict[str, Any] = {
    "id": "prognosis-patient-view",
    "hook": "patient-view",
    "title": "prognosis",
    "description": "How soon does the disease progress? Research software: it must not guide care.",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
    "usageRequirements": "Without a stored score it needs every prefetch, or access to the FHIR server.",
}
CARD: dict[str, Any] = {
    "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "summary": "progression 31 % (22 to 44) by 365 days; the record was last read 3 hours ago",
    "indicator": "info",
    "source": {"label": "prognosis"},
}


class Discovered(BaseModel):
    """A service as discovery describes it."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str  # noqa: N815


class Discovery(BaseModel):
    """All services."""

    model_config = ConfigDict(json_schema_extra={"example": {"services": [DISCOVERED]}})
    services: tuple[Discovered, ...]


class Cards(BaseModel):
    """The answer to a call."""

    model_config = ConfigDict(json_schema_extra={"example": {"cards": [CARD]}})
    cards: tuple[dict[str, Any], ...]


class Kept(BaseModel):
    """Feedback is on disk."""

    model_config = ConfigDict(json_schema_extra={"example": {"kept": 1}})
    kept: int
