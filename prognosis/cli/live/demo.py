"""`prognosis demo --live`: the road through a hospital's servers, once."""

from __future__ import annotations

import json
import shlex
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from types import FrameType
from typing import Any

from prognosis.cli.console import print_json, stderr
from prognosis.cli.demo import Stopwatch, claim_folder, packaged
from prognosis.cli.live.card import patient_view
from prognosis.cli.live.cohort import REAL, SIMULATED, check_sources, write_real, write_simulated
from prognosis.cli.live.fhir_server import find_fhir_server
from prognosis.cli.live.hospital import Hospital, running
from prognosis.cli.live.orthanc import find_orthanc
from prognosis.cli.live.road import (
    Pulled,
    answer_about,
    chosen,
    largest_difference,
    pulled_in_bulk,
    pulled_over_rest,
    read_files,
    trained,
)
from prognosis.cohort import Task
from prognosis.errors import InputError, MissingDependencyError
from prognosis.fusion import FusionModel, load_model
from prognosis.outputs.cds_page import detail_lines, render_cards
from prognosis.outputs.page import write_whole
from prognosis.prediction import predict_cases

TOLERANCE = 1e-6
NEEDED = (("fastapi", "serve"), ("uvicorn", "serve"), ("highdicom", "imaging"))


@dataclass(frozen=True, slots=True)
class LiveAsked:
    """What is asked of the demonstration.

    Attributes:
        out: The folder that it writes.
        patients: How many to simulate, or to take of the sources.
        seed: Of the simulation and the training.
        model: A model folder; None to train one on a part of the cohort.
        fhir_server: The FHIR server's program; None for the one on the PATH.
        sources: Files whose patients are taken in place of simulated ones.
        task: What is asked about them; None where a model says it.
    """

    out: Path
    patients: int
    seed: int
    model: Path | None = None
    fhir_server: Path | None = None
    sources: tuple[str, ...] = ()
    task: Path | None = None

    @property
    def command(self) -> str:
        """As it is typed, for the model's card."""
        words = ["prognosis", "demo", "--live", *(word for uri in self.sources for word in ("--source", uri))]
        words += ["--task", str(self.task)] if self.task is not None else []
        return shlex.join([*words, "--patients", str(self.patients), "--seed", str(self.seed)])

    def check(self) -> None:
        """Refuse before anything is made or started what could not be ended as it should.

        Raises:
            MissingDependencyError: A server or an extra is not installed.
            InputError: Sources and task do not go together.
        """
        check_sources(self.sources)
        asked_about = [each for each in (self.task, self.model) if each is not None]
        if self.sources and len(asked_about) != 1:
            raise InputError("--source", "needs a question", "add --task TASK.yaml, or --model MODEL")
        if self.task is not None and not self.sources:
            raise InputError("--task", "is about the patients of sources", "add --source, or leave it out")
        find_orthanc()
        find_fhir_server(self.fhir_server)
        for module, extra in NEEDED:
            if util.find_spec(module) is None:
                problem = f"needs {module}, of the extra {extra}"
                remedy = f"run make install, or pip install '.[{extra}]' in the clone"
                raise MissingDependencyError("prognosis demo --live", problem, remedy)


def run_live(asked: LiveAsked, *, json_output: bool) -> bool:
    """Fill two servers, pull everything back, score, write answers, read them again, ask for a card.

    What was started is stopped when this ends: by itself, by an error, by Ctrl-C or SIGTERM.

    Returns:
        Whether everything was as it should be: the predictions of the files, and nothing written twice.

    Raises:
        MissingDependencyError: A server or an extra is not installed.
        PrognosisError: A server or the service does not do what was asked of it.
    """
    asked.check()
    program = find_fhir_server(asked.fhir_server)
    out, watch = claim_folder(asked.out.absolute()), Stopwatch()
    model = None if asked.model is None else load_model(asked.model)
    if model is not None:
        task = model.task
    else:
        task = Task.load(asked.task or packaged("tasks/simulated_progression.yaml"))
    whom = "take at most" if asked.sources else "simulate"
    with watch.step(f"{whom} {asked.patients} patients and write them as FHIR and DICOM"):
        if asked.sources:
            left_out = write_real(asked.sources, task, asked.patients, out / "source")
        else:
            left_out = write_simulated(asked.patients, asked.seed, out / "source")
    with _sigterm_unwinds(), ExitStack() as open_:
        held = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="prognosis-live-")))
        with watch.step("start Orthanc and the FHIR server, and fill them"):
            hospital = open_.enter_context(running(program, out / "source", held))
        summary = _through(hospital, asked, model, task, out, watch)
    summary |= {"films_left_out": left_out, "stopped": True, "seconds": watch.seconds}
    (out / "summary.json").write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _tell(summary, out)
    if json_output:
        print_json(summary)
    return bool(summary["as_it_should_be"])


def _through(
    hospital: Hospital, asked: LiveAsked, model: FusionModel | None, task: Task, out: Path, watch: Stopwatch
) -> dict[str, Any]:
    """The road itself, with the servers running; what was counted on it."""
    with watch.step("pull the records over REST and the films over DICOMweb"):
        rest = pulled_over_rest(hospital, task)
    with watch.step("pull the records in bulk"):
        bulk = pulled_in_bulk(hospital, task, out / "bulk")
    if model is None:
        with watch.step("train a small model on a part of what was pulled"):
            model = trained(rest, task, out / "model", asked.seed, asked.command)
    counted = _answered(hospital, model, asked.model or out / "model", (rest, bulk), out, watch)
    evidence = REAL if asked.sources else SIMULATED
    return {"evidence": evidence, "model_id": model.model_id, "loaded": hospital.loaded, **counted}


def _answered(
    hospital: Hospital, model: FusionModel, folder: Path, pulls: Sequence[Pulled], out: Path, watch: Stopwatch
) -> dict[str, Any]:
    """Everybody scored, some answers written twice, and a chart opened; what was counted."""
    with watch.step("score everybody from the files and from both pulls"):
        files = predict_cases(model, read_files(out / "source", model.task).cases)
        predictions = [predict_cases(model, each.cases) for each in pulls]
    apart = {
        each.way: largest_difference(files, found) for each, found in zip(pulls, predictions, strict=True)
    }
    cases = chosen(pulls[0].cases, predictions[0], model)
    with watch.step(f"write the answers about {len(cases)} patients to both servers, and read them back"):
        first = answer_about(cases, model, hospital)
    with watch.step("pull everything again and write the same answers again"):
        again = pulled_over_rest(hospital, model.task)
        first_asked = {(case.patient, case.index_time) for case in cases}
        same = [each for each in again.cases if (each.patient, each.index_time) in first_asked]
        second = answer_about(same, model, hospital)
    patient = cases[0].record.patient_id
    with watch.step("start the service and open a chart"):
        cards = _chart_opened(hospital, folder, out, patient)
    good = second.only_repeats(first) and max(apart.values()) <= TOLERANCE and len(cards) == 1
    abstained = sum(each.abstained for each in files)
    # the infinite difference of a patient who is missing from one of the two is no JSON
    told = {way: min(each, 1.0) for way, each in apart.items()}
    return {
        "pulled": {each.way: each.to_json() for each in pulls},
        "scored": {"patients": len(files), "abstained": abstained, "largest_difference_from_files": told},
        "written": {"patients": len(cases), **first.to_json()},
        "written_again": {"found": len(first.names & second.names), **second.to_json()},
        "card": {"patient": patient, "cards": cards},
        "as_it_should_be": good and not any(each.set_aside for each in (*pulls, again)),
    }


def _chart_opened(hospital: Hospital, model: Path, out: Path, patient: str) -> list[dict[str, Any]]:
    """The cards of a patient, which are also written as a page and as JSON."""
    given = patient_view(out / "service", model, hospital.uris, hospital.fhir, patient)
    write_whole(out / "card.html", render_cards(given["cards"], patient))
    write_whole(out / "card.json", json.dumps(given, indent=1) + "\n")
    cards: list[dict[str, Any]] = given["cards"]
    return cards


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    """SIGTERM ends this as Ctrl-C does, through everything that is still to be stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(summary: dict[str, Any], out: Path) -> None:
    """The result in a few lines on stderr, and the card."""
    for count in _counts(summary):
        stderr.print(count, markup=False, highlight=False, soft_wrap=True)
    for card in summary["card"]["cards"]:
        stderr.rule(card["summary"])
        for line in detail_lines(card["detail"]):
            text = "".join(line.parts)
            stderr.print(f"  - {text}" if line.item else text, markup=False, highlight=False)
        stderr.rule()
    stderr.print(f"open {out / 'card.html'}", markup=False, highlight=False, soft_wrap=True)


def _counts(summary: dict[str, Any]) -> Iterator[str]:
    loaded, scored = summary["loaded"], summary["scored"]
    films = loaded["DICOM instance"]
    yield f"loaded: {sum(loaded.values()) - films} resources, {films} films"
    if summary["films_left_out"]:
        yield f"left out: {summary['films_left_out']} studies that cannot be written exactly"
    for way, each in summary["pulled"].items():
        counted = f"{each['resources']} resources, {each['studies']} studies, {each['set_aside']} set aside"
        yield f"pulled, {way}: {each['patients']} patients, {counted}"
    yield f"scored: {scored['patients']} patients, {scored['abstained']} of them without an answer"
    for way, value in scored["largest_difference_from_files"].items():
        yield f"largest difference from the files' predictions, {way}: {value:.1e}"
    written, again = summary["written"], summary["written_again"]
    new = f"{written['resources']} resources and {written['objects']} DICOM objects"
    yield f"written about {written['patients']} patients: {new}, each read back"
    found = f"found {again['found']} resources and {again['objects_there']} objects there"
    yield f"a second run: {found}, wrote {again['resources']} and {again['objects']}"
    yield "Orthanc, the FHIR server and the service were stopped"
