"""What the README shows runs: its Python, its task file, and every command line as far as its options go."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from prognosis.cli.main import app
from prognosis.cli.sources import SCHEMES, export_fhir_dicom
from prognosis.cohort import Task
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8")
PATIENTS = 120
MADE_BY_THE_USER = re.compile(r"^(runs|data|export)\b")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def command_lines(page: str = README) -> list[str]:
    lines = [line.partition(" 2> ")[0] for block in blocks("sh", page) for line in block.splitlines()]
    return [line for line in lines if line.startswith("prognosis ")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder as it is after `make demo`, with fewer patients."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "configs", folder / "configs")
    simulated = simulate_cohort(Dials(patients=PATIENTS), seed=0)
    export_fhir_dicom(simulated.records, folder / "runs" / "demo" / "source", Quarantine())
    return folder


@pytest.mark.slow
def test_the_python_shown_runs(checkout, monkeypatch, capsys):
    monkeypatch.chdir(checkout)
    for number, block in enumerate(blocks("python")):
        exec(compile(block, f"README.md, Python block {number + 1}", "exec"), {})  # noqa: S102 - ours
    shown = capsys.readouterr().out.splitlines()
    assert "by 365 days" in shown[0]
    assert all(re.search(r"^[+-]\d\.\d\d .+: .*\[.*\]$", line) for line in shown[1:6]), shown[1:6]


def test_there_is_python_to_run():
    assert len(blocks("python")) == 2


@pytest.mark.parametrize("line", [*command_lines(), *command_lines(GUIDE)])
def test_a_command_line_shown_is_one_that_the_program_takes(line):
    command, words = get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        assert words[0] in command.commands, f"no verb {words[0]}"
        command = command.commands[words.pop(0)]
    context = command.make_context(command.name, list(words))
    assert not context.args


@pytest.mark.parametrize("line", command_lines())
def test_what_a_command_line_reads_is_here_or_is_made_by_the_user(line):
    for word in shlex.split(line)[1:]:
        if word.startswith("https://"):  # a server, which is not here
            continue
        scheme, colon, place = word.partition(":")
        if colon:
            assert scheme in SCHEMES
        elsewhere = colon and SCHEMES[scheme].place in {"name", "address"}
        path = "" if elsewhere else place if colon else word
        if "/" in path and not MADE_BY_THE_USER.match(path):
            assert (ROOT / path).exists(), path


def test_every_verb_is_shown():
    shown = {tuple(shlex.split(line)[1:3]) for line in command_lines()}
    verbs = get_command(app).commands
    for name, verb in verbs.items():
        for inner in getattr(verb, "commands", {None: verb}):
            assert any(words[0] == name and inner in {None, *words[1:]} for words in shown), (
                f"{name} {inner or ''}"
            )


def test_every_kind_of_source_is_in_the_table():
    assert [
        form for form in (f"| `{scheme.form}` |" for scheme in SCHEMES.values()) if form not in README
    ] == []


def test_the_task_shown_is_a_task():
    for block in blocks("yaml"):
        assert Task.from_statement(yaml.safe_load(block), "README.md").causes


def test_every_file_that_the_pages_link_to_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists() or (ROOT / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs" / "models").glob("*.yaml")), ids=lambda path: path.name
)
def test_every_example_of_model_settings_is_valid(path):
    from prognosis.fusion import ModelConfig

    assert ModelConfig.load(path).modalities


def test_what_the_file_of_defaults_states_is_the_default_but_for_the_folds():
    from prognosis.fusion import ModelConfig

    stated = ModelConfig.load(ROOT / "configs" / "models" / "default.yaml")
    assert stated.model_copy(update={"folds": None}) == ModelConfig()
