"""Answers as FHIR R4 resources whose names are the same however often they are made; no I/O, no clock."""

from prognosis.outputs.fhir.answer import Answer, ModelFacts
from prognosis.outputs.fhir.audit_entry import AuditedAct, entry_event
from prognosis.outputs.fhir.audit_event import Parties, audit_event
from prognosis.outputs.fhir.identity import ANSWER, AnswerKey, device_id, kinds_of
from prognosis.outputs.fhir.provenance import provenance
from prognosis.outputs.fhir.resources import answer_resources

__all__ = [
    "ANSWER",
    "Answer",
    "AnswerKey",
    "AuditedAct",
    "ModelFacts",
    "Parties",
    "answer_resources",
    "audit_event",
    "device_id",
    "entry_event",
    "kinds_of",
    "provenance",
]
