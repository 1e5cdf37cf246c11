"""The steps of the live demonstration: read, train, choose whom to answer about, write."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from prognosis.cli.beside_images import ImagesWritten
from prognosis.cli.cards import bundle_card, evidence_of
from prognosis.cli.console import Bars
from prognosis.cli.demo import packaged
from prognosis.cli.live.hospital import Hospital
from prognosis.cli.loading import report_quarantine
from prognosis.cli.settings import model_config
from prognosis.cli.sources import Told, answer_server, read_records, write_answer
from prognosis.cli.sources.bulk import BulkAsked, export_bulk
from prognosis.cli.write_back import answer, this_act
from prognosis.cli.write_images import write_image_results
from prognosis.cohort import Case, Task, build_cohort, cohort_target, held_out_rows
from prognosis.errors import CohortError
from prognosis.fusion import FusionModel, save_model, train_model
from prognosis.outputs.fhir import Answer
from prognosis.outputs.model_card import model_card
from prognosis.prediction import Prediction
from prognosis.record import PatientRecord, Quarantine

HELD_OUT_SHARE = 0.2
"""Enough to answer about; nothing is judged on so few."""

ANSWERED = 3
"""Patients whose answers are written back."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A cohort as one way of reading it gives it.

    Attributes:
        way: For people.
        records: Everybody.
        cases: Whom the task asks about.
        quarantine: What was accepted and what was set aside.
    """

    way: str
    records: tuple[PatientRecord, ...]
    cases: tuple[Case, ...]
    quarantine: Quarantine

    @property
    def set_aside(self) -> int:
        """How much could not be read."""
        return len(self.quarantine)

    def to_json(self) -> dict[str, int]:
        """Counts."""
        accepted = self.quarantine.accepted
        return {
            "patients": len(self.records),
            "resources": sum(count for kind, count in accepted.items() if not kind.startswith("DICOM")),
            "studies": accepted["DICOM study"],
            "set_aside": self.set_aside,
        }


def read_files(export: Path, task: Task) -> Pulled:
    """The cohort from the files that the servers were filled with."""
    return _read("files", [f"fhir-folder:{export}", f"dicom-folder:{export}"], task)


def pulled_over_rest(hospital: Hospital, task: Task) -> Pulled:
    """The cohort from the two servers."""
    return _read("REST", hospital.uris, task)


def pulled_in_bulk(hospital: Hospital, task: Task, folder: Path) -> Pulled:
    """The cohort from a bulk export of the FHIR server, with the archive's films."""
    with Bars() as bars:
        export_bulk(
            hospital.fhir,
            folder,
            BulkAsked(),
            Quarantine(),
            lambda what, done, total: bars(what, done, total or 0),
        )
    return _read("bulk", [f"fhir-folder:{folder}", hospital.films_uri], task)


def _read(way: str, uris: Sequence[str], task: Task) -> Pulled:
    quarantine = Quarantine()
    records = read_records(uris, task, quarantine)
    if len(quarantine):
        report_quarantine(quarantine)
    return Pulled(way, records, build_cohort(task, records, require_labels=False).cases, quarantine)


def trained(pulled: Pulled, task: Task, folder: Path, seed: int, command: str) -> FusionModel:
    """A model of the quick settings, trained on a part of a cohort, and saved.

    Raises:
        CohortError: There are too few patients to learn from.
    """
    cohort = build_cohort(task, pulled.records)
    apart = held_out_rows(cohort.patients, cohort_target(cohort).cause, HELD_OUT_SHARE, seed)
    training = cohort.take(np.flatnonzero(~apart))
    config = model_config(packaged("models/quick.yaml"), [f"seed={seed}"], task)
    with Bars() as bars:
        model = train_model(training, config, bars)
    card = bundle_card(model, training, pulled.quarantine, evidence_of(task), None, "", command)
    if folder.exists():
        shutil.rmtree(folder)
    return save_model(model, folder, model_card(card), {"measured": False})


def chosen(cases: Sequence[Case], predictions: Sequence[Prediction], model: FusionModel) -> list[Case]:
    """Patients to write answers about: strangers to the model before others, of these the best known.

    Of a patient who is asked about at several films it is the last one, which a chart shows too.

    Raises:
        CohortError: The model answers for nobody whose film was read.
    """
    answered = {
        case.patient: (model.was_trained_on(case), -len(prediction.modalities_used), case.patient, case)
        for case, prediction in zip(cases, predictions, strict=True)
        if not prediction.abstained and "imaging" in prediction.modalities_used
    }
    if not answered:
        problem = "the model answers for nobody whose film it read"
        raise CohortError("the cohort", problem, "take more patients, or give another --model")
    return [case for *_, case in sorted(answered.values(), key=lambda each: each[:3])[:ANSWERED]]


def largest_difference(predictions: Sequence[Prediction], others: Sequence[Prediction]) -> float:
    """Largest absolute difference of curves and intervals, patient by patient; infinite where one lacks."""
    mine, theirs = (
        {(each.site, each.patient_id, each.index_time): each for each in some}
        for some in (predictions, others)
    )
    if mine.keys() != theirs.keys() or any(
        one.abstained != theirs[key].abstained or one.modalities_used != theirs[key].modalities_used
        for key, one in mine.items()
    ):
        return float("inf")
    apart = (
        float(np.abs(getattr(one, curves)[cause] - getattr(theirs[key], curves)[cause]).max())
        for key, one in mine.items()
        for curves in ("cumulative_incidence", "low", "high")
        for cause in one.cumulative_incidence
    )
    return max(apart, default=0.0)


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of answers.

    Attributes:
        resources: Created or updated on the FHIR server.
        objects: Stored in the archive.
        objects_there: The archive held them already.
        names: Every resource by version, written now or before.
    """

    resources: int
    objects: int
    objects_there: int
    names: frozenset[str]

    @property
    def new(self) -> int:
        """Everything that was written."""
        return self.resources + self.objects

    def only_repeats(self, first: Answers) -> bool:
        """Whether an earlier run wrote something, and this one nothing but found it."""
        return first.new > 0 and self.new == 0 and self.names <= first.names

    def to_json(self) -> dict[str, int]:
        """Counts."""
        return {"resources": self.resources, "objects": self.objects, "objects_there": self.objects_there}


def answer_about(cases: Sequence[Case], model: FusionModel, hospital: Hospital) -> Answers:
    """Write the model's answers to both servers, as `prognosis risk` does; each is read back there."""
    server = answer_server(hospital.records_uri, hospital.uris)
    told: list[Told] = []
    images: list[ImagesWritten] = []
    for case in cases:

        def about(subject: str, case: Case = case) -> Answer:
            return answer(model, case, subject)

        told.append(write_answer(server, case.record, about, this_act()))
        images.append(write_image_results(model, case, hospital.films_uri, datetime.now(UTC)))
    resources = [each for one in told for each in one.resources]
    return Answers(
        sum(each.done != "unchanged" for each in resources),
        sum(each.stored for each in images),
        sum(each.held for each in images),
        frozenset(each.version for each in resources),
    )
