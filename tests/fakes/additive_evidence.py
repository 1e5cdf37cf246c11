"""An evidence model whose tokens are written in the record itself, and a fusion model over three of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from prognosis.cohort import Case, SurvivalLabel, Target, Task
from prognosis.cohort.target import event_quantile_edges
from prognosis.evidence import ModalityEvidence, Token
from prognosis.evidence.model_folder import patient_digest
from prognosis.fusion import FusionModel, ModelConfig
from prognosis.fusion.bounds import fit_bounds
from prognosis.fusion.config import FusionConfig
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.inputs import join_modalities
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.model import Training
from prognosis.fusion.recalibration import recalibrate
from prognosis.fusion.replicates import bootstrap_head
from prognosis.record import Code, Event, PatientRecord

INDEX = datetime(2024, 1, 10, tzinfo=UTC)
MODALITIES = ("clinical", "text", "imaging")
WIDTH = 2

TASK = Task.from_statement(
    {
        "name": "planted",
        "question": "Does it progress?",
        "index": {"at": "event", "codes": ["t|index"]},
        "outcome": {
            "kind": "time_to_event",
            "causes": {"progression": ["t|progression"], "death": ["t|death"]},
            "horizons_days": [100, 300],
        },
    },
    "test task",
)


@dataclass(frozen=True, slots=True)
class WrittenEvidence:
    """Each event "<modality>|<k>" of the record is a token worth its number."""

    modality: str
    width: int = WIDTH

    def tokens(self, case: Case) -> tuple[Token, ...]:
        return tuple(
            Token(
                modality=self.modality,
                name=event.code.value,
                detail="",
                source=event.source,
                time=event.time.isoformat(),
                age_days=0.0,
                evidence=np.array([[event.number], [0.5 * event.number]]),
                vector=np.array([event.number, event.number**2 - 0.1]),
            )
            for event in case.record.events
            if event.code.system == self.modality and event.number is not None
        )

    def tokens_of(self, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
        return [self.tokens(case) for case in cases]

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        tokens = [self.tokens(case) for case in cases]
        return ModalityEvidence(
            present=np.array([bool(own) for own in tokens]),
            evidence=np.array([sum((t.evidence for t in own), start=np.zeros((2, 1))) for own in tokens]),
            vector=np.array([sum((t.vector for t in own), start=np.zeros(WIDTH)) for own in tokens]),
            typical_distance=np.zeros(len(cases)),
            withheld=("",) * len(cases),
        )

    def save(self, folder: Path) -> None:
        (folder / "written.json").write_text("{}", encoding="utf-8")


def written_case(number: int, values: dict[str, list[float]], label: SurvivalLabel | None = None) -> Case:
    """A case whose record states its own evidence."""
    events = tuple(
        Event(
            INDEX - timedelta(days=1),
            Code(modality, f"{modality}-{k}"),
            number=value,
            source=f"Observation/{k}",
        )
        for modality, own in values.items()
        for k, value in enumerate(own)
    )
    return Case(PatientRecord(f"p{number}", events=events, site="test"), INDEX, label)


def random_values(rng: np.random.Generator, share_present: float = 0.7) -> dict[str, list[float]]:
    """Two clinical tokens always; text and imaging often."""
    values = {"clinical": list(rng.normal(0.0, 0.5, 2))}
    for modality in ("text", "imaging"):
        if rng.random() < share_present:
            values[modality] = list(rng.normal(0.0, 0.5, 3))
    return values


def planted_cases(count: int, interaction: float, seed: int) -> list[Case]:
    """Cases whose hazard is the sum of what is written, plus a clinical x imaging product."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(count):
        values = random_values(rng)
        sums = {modality: sum(own) for modality, own in values.items()}
        joint = interaction * sums["clinical"] * sums.get("imaging", 0.0)
        risk = sum(sums.values()) + joint
        times = rng.exponential([300 * np.exp(-risk), 900 * np.exp(-0.5 * risk), 700])
        first = int(np.argmin(times))
        cause = (*TASK.causes, None)[first]
        cases.append(written_case(number, values, SurvivalLabel(cause, float(times[first]) + 0.1)))
    return cases


def planted_target(cases: Sequence[Case]) -> Target:
    """The cases' labels on twelve bins."""
    number = {name: k for k, name in enumerate(TASK.causes, start=1)}
    days = np.array([case.label.days for case in cases])
    cause = np.array([number.get(case.label.cause, 0) for case in cases])
    return Target(TASK.causes, cause, days, event_quantile_edges(days, cause > 0, 12), survival=True)


@cache
def written_model(count: int = 1000, interaction: float = 1.5, seed: int = 0) -> FusionModel:
    """A fusion model fitted on planted cases."""
    cases = planted_cases(count, interaction, seed)
    target = planted_target(cases)
    evidence = {name: WrittenEvidence(name) for name in MODALITIES}
    inputs = join_modalities({name: model.summarise(cases) for name, model in evidence.items()})
    exposure = exposure_of(target)
    config = ModelConfig(fusion=FusionConfig(bootstrap=20))
    folds = np.random.default_rng(seed).integers(0, 3, count)
    fitted = fit_head(inputs, exposure, config.fusion)
    patients = np.array([case.patient for case in cases])
    return FusionModel(
        task=TASK,
        config=config,
        evidence=evidence,
        head=recalibrate(fitted.head(), inputs, exposure, np.ones(count)),
        edges=target.edges,
        replicates=bootstrap_head(fitted, inputs, exposure, patients, 20, seed),
        background=inputs.take(np.arange(min(count, 200))),
        training=Training(count, {}, {}, {}, frozenset(patient_digest(name) for name in patients)),
        bounds=fit_bounds(config.fusion, inputs, exposure, target, patients, folds),
        model_id="planted-test",
    )
