"""Every error that prognosis raises on purpose.

    PrognosisError
    |-- InputError           the caller must act: what was given cannot be used
    |   |-- SourceError      a source URI, folder or file as a whole
    |   |-- MappingError     one FHIR or table resource
    |   |-- StudyError       one image or imaging study
    |   |-- TaskError        a task file
    |   |-- ConfigError      a model or benchmark configuration
    |   |-- WriteError       a server does not take what was to be written, or does not hold it afterwards
    |   |-- CohortError      the cohort cannot answer the question asked of it
    |   `-- CheckpointError  the checkpoints of a training do not belong to it
    |-- ModelError           the model's owner must act
    |   |-- BundleError      a model folder is incomplete, altered or unsafe
    |   `-- ScopeError       the model was not made for this use
    |-- ServiceError         the client must act: a request to the service is refused
    |   |-- IdentityError    who asks is not known
    |   |-- AccessError      who asks may not
    |   |-- AbsentError      what is asked for is not there
    |   |-- RequestError     the request cannot be read
    |   |-- MissingDataError what the answer rests on was not sent and cannot be had
    |   `-- BusyError        ask again later
    |-- AuditError           the operator must act: what was answered cannot be written down, or was altered
    `-- MissingDependencyError   the operator must act: something is not installed

A message is reference + what is wrong + what would be right, and holds no patient content.
"""

from __future__ import annotations


class PrognosisError(Exception):
    """Root of every error raised on purpose.

    Args:
        reference: What the error is about: "Observation/cr-1", "data.csv row 12", "configs/x.yaml".
        problem: What is wrong, without patient content.
        remedy: What would be right, as an instruction.
    """

    def __init__(self, reference: str, problem: str, remedy: str) -> None:
        super().__init__(f"{reference}: {problem}; {remedy}")
        self.reference = reference
        self.problem = problem
        self.remedy = remedy


class InputError(PrognosisError):
    """What was given cannot be used; the caller must act."""


class SourceError(InputError):
    """A source as a whole cannot be read."""


class MappingError(InputError):
    """One resource or row cannot be read as a fact."""


class StudyError(InputError):
    """One image or imaging study cannot be used."""


class TaskError(InputError):
    """A task file does not state a question that can be asked."""


class ConfigError(InputError):
    """A model or benchmark configuration is not valid."""


class WriteError(InputError):
    """A server does not take what was to be written, or does not hold it afterwards."""


class CohortError(InputError):
    """The cohort cannot answer the question asked of it."""


class CheckpointError(InputError):
    """The checkpoints of a training do not belong to the training that is to go on."""


class ModelError(PrognosisError):
    """A trained model cannot be used; its owner must act."""


class BundleError(ModelError):
    """A model folder is incomplete, altered or unsafe."""


class ScopeError(ModelError):
    """The model was not made for this use."""


class ServiceError(PrognosisError):
    """A request to the service is refused; who asked must act."""


class IdentityError(ServiceError):
    """Who asks is not known."""


class AccessError(ServiceError):
    """Who asks is known and may not."""


class AbsentError(ServiceError):
    """What is asked for is not there."""


class RequestError(ServiceError):
    """A request cannot be read."""


class MissingDataError(ServiceError):
    """What an answer rests on was not sent and cannot be had."""


class BusyError(ServiceError):
    """The service has as much to do as it takes on."""


class AuditError(PrognosisError):
    """The audit cannot be written, or is not what was written; the operator must act."""


class MissingDependencyError(PrognosisError):
    """Something that the operator must install or start is absent."""
