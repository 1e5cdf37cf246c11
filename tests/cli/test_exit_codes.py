"""Bad input is one line on stderr that names what is wrong and what would be right, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program, clinic
from tests.simulated import TASK_PATH, Simulated

SOURCE = "--source=meds:."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("cohort", "describe", "no/task.yaml", SOURCE), "no/task.yaml"),
        (("cohort", "describe", TASK_PATH, "--source=fhir-foldr:x"), "did you mean fhir-folder:DIR?"),
        (("cohort", "describe", TASK_PATH, "--source=meds:no/folder"), "is not a folder"),
        (("cohort", "describe", TASK_PATH, SOURCE, SOURCE), "is named twice"),
        (("cohort", "export", "out", SOURCE, "--to", "pdf"), "meds:."),
        (("train", TASK_PATH, "--source=table:no.csv", "--out", "m"), "is not a file"),
        (("evaluate", "no/model", SOURCE), "no/model: does not exist"),
        (("evaluate", "no/model", SOURCE, "--rivals"), "give --cv or --by-site"),
        (("risk", "p1", "--model", "no/model", SOURCE), "no/model: does not exist"),
        (("evaluate", "m", SOURCE, "--folds", "1"), "; see prognosis evaluate --help"),
        (("evaluate", "m"), "missing option '--source'; see prognosis evaluate --help"),
        (("risk", "p1", "--modle", "m"), "--modle"),
        (("foretell",), "no such command 'foretell'; see prognosis --help"),
        (("cohort", "biuld"), "; see prognosis cohort --help"),
        (("benchmark", "no/suite.yaml"), "give the path of a benchmark file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    prognosis: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = prognosis(*arguments)
    assert (ran.status, ran.out) == (2, "")
    (line,) = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert told in line
    assert "Traceback" not in ran.err
    assert "Usage" not in ran.err


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("imaging.epochs", "has no value"),
        ("imaging.epochs=-1", "imaging.epochs"),
        ("imaging.depth=3", "imaging.depth"),
        ("fusion.rnk=3", "--set fusion.rnk=3: fusion.rnk is not a field; did you mean rank?"),
        ("fusion.rank=[", "--set fusion.rank=[: is not YAML (line 1: "),
        ("modalities=[genome]", "must name some of clinical, text, imaging"),
        ("modalities=[]", "must name some of clinical, text, imaging"),
        ("modalities=[text, text]", "each once"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(
    prognosis: Program, tmp_path: Path, setting: str, told: str
) -> None:
    task, source = clinic(tmp_path)
    ran = prognosis("train", task, "--source", source, "--out", tmp_path / "m", "--set", setting)
    assert ran.status == 2
    assert told in ran.prose
    assert not (tmp_path / "m").exists()


def test_an_unknown_form_of_export_is_refused(prognosis: Program, small: Simulated, tmp_path: Path) -> None:
    ran = prognosis("cohort", "export", tmp_path / "o", "--source", small.uris[0], "--to", "pdf")
    assert ran.status == 2
    assert "use fhir-dicom or meds" in ran.prose


def test_a_model_never_replaces_a_folder_of_something_else(prognosis: Program, tmp_path: Path) -> None:
    task, source = clinic(tmp_path)
    ran = prognosis("train", task, "--source", source, "--out", tmp_path)
    assert ran.status == 2
    assert "holds files that are not a model" in ran.prose
    assert "reading" not in ran.prose  # refused before the work, not after it
    assert (tmp_path / "clinic.csv").exists()
    assert "is a file" in prognosis("train", task, "--source", source, "--out", task).prose


def test_a_missing_option_is_told_by_its_name(prognosis: Program) -> None:
    ran = prognosis("train", TASK_PATH)
    assert ran.status == 2
    assert "--source" in ran.err


def test_the_doctor_answers_with_a_status_and_a_list(prognosis: Program) -> None:
    ran = prognosis("doctor", "--json")
    assert ran.status == int(any(line["verdict"] == "bad" for line in ran.stated))


def test_every_command_explains_itself(prognosis: Program) -> None:
    for command in ((), ("cohort",), ("train",), ("evaluate",), ("risk",), ("benchmark",), ("demo",)):
        ran = prognosis(*command, "--help")
        assert ran.status == 0
        assert "Usage" in ran.out


def test_square_brackets_in_a_path_are_not_read_as_markup(prognosis: Program, tmp_path: Path) -> None:
    place = tmp_path / "a[" / "red]"
    place.mkdir(parents=True)
    task, source = clinic(place)
    ran = prognosis("cohort", "build", task, "--source", source, "--out", place / "[" / "red]", "--json")
    assert ran.status == 0, ran.err
    assert ran.stated["cases"] == 90
