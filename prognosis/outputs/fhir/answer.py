"""What one answer to a question about one patient is, before it becomes resources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prognosis.cohort import Task
from prognosis.comparison.answer import TreatmentAnswer
from prognosis.errors import InputError
from prognosis.explanation import Explanation
from prognosis.outputs.fhir.identity import AnswerKey, cited_resource, device_id
from prognosis.prediction import Prediction


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a reader must know of a model, from its card.

    Attributes:
        model_id: Name and content digest.
        software: Version of prognosis that computed the answer.
        modalities: What it reads.
        patients: How many it was trained on.
        not_intended: For what it must not be used.
        limits: What a reader could wrongly conclude.
    """

    model_id: str
    software: str
    modalities: tuple[str, ...]
    patients: int
    not_intended: tuple[str, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One model's answer about one patient at one index time.

    Attributes:
        subject: The patient on the server that is written to, "Patient/17".
        task: The question.
        model: Who answered.
        prediction: The answer.
        explanations: On the scale on which evidence adds up, one a cause.
        page: The patient's page as HTML.
        treatment: What each arm would do; None where the model compares no arms.

    Raises:
        InputError: A quantity was predicted, which a RiskAssessment cannot hold, or the model has no id.
    """

    subject: str
    task: Task
    model: ModelFacts
    prediction: Prediction
    explanations: tuple[Explanation, ...]
    page: str
    treatment: TreatmentAnswer | None = None

    def __post_init__(self) -> None:
        if self.prediction.measured is not None:
            problem = "asks for the value of a quantity, and a RiskAssessment holds probabilities"
            raise InputError(f"task {self.task.name}", problem, "leave out --write-back")
        if not self.model.model_id:
            raise InputError(f"task {self.task.name}", "has a model without an id", "save it, and load it")

    @property
    def key(self) -> AnswerKey:
        """By which it is known."""
        return AnswerKey(self.subject, self.prediction.index_time, self.model.model_id)

    @property
    def device(self) -> str:
        """The model on the server."""
        return f"Device/{device_id(self.model.model_id)}"

    @property
    def cited(self) -> tuple[str, ...]:
        """Every resource that a piece of the risk's evidence came from, sorted; the patient apart."""
        if self.prediction.abstained:
            return ()
        return _cited(each.source for told in self.explanations for each in told.attributions)

    @property
    def arms_cited(self) -> tuple[str, ...]:
        """The same of the comparison of arms."""
        contrasts = () if self.treatment is None else self.treatment.contrasts
        told = (each.explanation for each in contrasts if each.explanation is not None)
        return _cited(each.source for explanation in told for each in explanation.attributions)

    def of_type(self, *kinds: str) -> tuple[str, ...]:
        """Those of the cited resources that are of one of these types."""
        return tuple(each for each in self.cited if each.partition("/")[0] in kinds)


def _cited(sources: Iterable[str]) -> tuple[str, ...]:
    named = {cited_resource(source) for source in sources if source}
    return tuple(sorted(each for each in named if each and not each.startswith("Patient/")))


def in_words(name: str) -> str:
    """A cause or a modality as people write it."""
    return name.replace("_", " ")
