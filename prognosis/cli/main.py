"""The command line. Data goes to stdout, progress to stderr; exit 0, 1 (a check failed) or 2 (bad input).

Each verb lives in a file of its own and is imported only when called, so that --help answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from prognosis.cli.audit_verbs import audit_app
from prognosis.cli.bulk_verbs import bulk_export
from prognosis.cli.cohort_verbs import cohort_app
from prognosis.cli.demo_verb import demo
from prognosis.cli.ingest_verb import ingest_export
from prognosis.cli.options import (
    CACHE,
    CacheOption,
    ConfigOption,
    JsonOption,
    OutOption,
    SettingOption,
    SourceOption,
    TaskArgument,
)
from prognosis.cli.receive import receive
from prognosis.cli.retract_images import retract_images
from prognosis.cli.retract_verb import retract
from prognosis.cli.risk_verb import risk
from prognosis.cli.service_verbs import serve, watch
from prognosis.cli.treat_verb import treat

app = typer.Typer(
    name="prognosis",
    help="Explained, calibrated prognosis from health records, images and notes together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cohort_app, name="cohort")
app.command()(receive)
app.command()(retract)
app.command()(retract_images)
app.command("bulk-export")(bulk_export)
app.add_typer(audit_app, name="audit")
app.command("ingest")(ingest_export)


@app.callback(invoke_without_command=True)
def main(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    """Explained, calibrated prognosis from health records, images and notes together."""
    if version:
        from prognosis import __version__

        typer.echo(__version__)
        raise typer.Exit


INPUT_ERROR = 2
INTERRUPTED = 130
_USAGE_ERROR = cast(
    "type[typer.BadParameter]", typer.BadParameter.__base__
)  # typer gives it no name of its own


app.command()(demo)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    patients: Annotated[int, typer.Option(help="How many patients.")] = 2500,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a dial, e.g. --set interaction=0; docs/simulation.md."),
    ] = None,
    to: Annotated[str, typer.Option("--to", help="fhir-dicom or meds.")] = "fhir-dicom",
    *,
    json_output: JsonOption = False,
) -> None:
    """Write a cohort whose hazard is known, as FHIR and DICOM or as MEDS, and its truth beside it."""
    from prognosis.cli.simulate import run_simulate

    run_simulate(out, patients, seed, setting or [], to, json_output=json_output)


@app.command()
def train(
    task: TaskArgument,
    source: SourceOption,
    out: OutOption,
    config: ConfigOption = None,
    setting: SettingOption = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            "--checkpoints",
            help="Where a training end to end that was stopped goes on from; <out>.checkpoints by default.",
        ),
    ] = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Train a model on a task's cohort and write it as a folder."""
    from prognosis.cli.train import run_train

    run_train(task, source, out, config, setting or [], json_output=json_output, checkpoints=checkpoints)


@app.command()
def pretrain(
    source: SourceOption,
    out: OutOption,
    config: Annotated[Path | None, typer.Option("--config", help="Pretraining settings (YAML).")] = None,
    setting: SettingOption = None,
    exclude: Annotated[
        Path | None, typer.Option(help="A file of patient ids, one a line, whose studies are never opened.")
    ] = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Train an image encoder on studies without outcomes, for small cohorts to start from."""
    from prognosis.cli.pretrain import run_pretrain

    run_pretrain(source, out, config, setting or [], exclude, json_output=json_output)


@app.command()
def evaluate(  # noqa: PLR0913 - one parameter an option
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    source: SourceOption,
    folds: Annotated[int, typer.Option(min=2, help="Folds of --cv.")] = 5,
    replicates: Annotated[int, typer.Option(min=2, help="Bootstrap samples of patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and bootstrap.")] = 0,
    *,
    cv: Annotated[
        bool, typer.Option("--cv", help="Retrain on folds of patients: for the training sources.")
    ] = False,
    by_site: Annotated[
        bool, typer.Option("--by-site", help="Retrain without each site in turn and test on it.")
    ] = False,
    rivals: Annotated[
        bool,
        typer.Option(
            "--rivals",
            help="With --cv or --by-site: also every subset of modalities, late fusion, HAIM, a transformer.",
        ),
    ] = False,
    explanations: Annotated[
        bool, typer.Option("--explanations", help="Explain the cohort, and judge that instead of the risks.")
    ] = False,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="With --explanations: a model of another seed, whose values should be alike."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the report (HTML) here.")] = None,
    cache: CacheOption = None,
    json_output: JsonOption = False,
) -> None:
    """Judge a model on patients that did not train it, with an interval for every number."""
    from prognosis.cli.evaluate import run_evaluate

    run_evaluate(
        model,
        source,
        folds,
        replicates,
        seed,
        cv=cv,
        by_site=by_site,
        rivals=rivals,
        explanations=explanations,
        beside=beside or (),
        report=report,
        cache=cache,
        json_output=json_output,
    )


@app.command()
def encode(
    source: Annotated[list[str], typer.Argument(help="scheme:place; several are read as one cohort.")],
    model: Annotated[Path, typer.Option("--model", help="A model folder.")],
    cache: Annotated[Path, CACHE],
    *,
    json_output: JsonOption = False,
) -> None:
    """Read every imaging study once for a model; stop it and start it again, and it goes on."""
    from prognosis.cli.encode import run_encode

    run_encode(source, model, cache, json_output=json_output)


app.command()(risk)
app.command()(treat)


@app.command()
def segment(
    study: Annotated[
        str, typer.Argument(help="A folder or file of DICOM, a PNG or NIfTI file; with --source a UID.")
    ],
    model: Annotated[Path, typer.Option("--model", help="A segmentation model's folder.")],
    out: OutOption,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Where the study is looked up by its UID.")
    ] = None,
    write_images: Annotated[
        str | None, typer.Option(help="dicomweb:URL: also store SEG and report beside the study's images.")
    ] = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Outline and measure a study's structures: mask, overlay, DICOM SEG and measurement report."""
    from prognosis.cli.segment import run_segment

    run_segment(study, model, out, source or (), write_images, json_output=json_output)


@app.command()
def benchmark(
    suite: Annotated[
        Path, typer.Argument(help="A benchmark file, e.g. configs/benchmarks/survival-quick.yaml.")
    ],
    out: OutOption = Path("runs/benchmark"),
    config: ConfigOption = None,
    *,
    json_output: JsonOption = False,
) -> None:
    """Compare the model with its peers on the same folds: a leaderboard with intervals, JSON and HTML."""
    from prognosis.cli.benchmark import run_benchmark

    run_benchmark(suite, out, config, json_output=json_output)


app.command()(serve)
app.command()(watch)


@app.command()
def doctor(*, json_output: JsonOption = False) -> None:
    """Check what is installed and what is not, with a fix for every red line."""
    from prognosis.cli.doctor import doctor as examine

    raise typer.Exit(examine(json_output))


def run() -> None:
    """Entry point: an error of ours or of usage is one line on stderr and exit code 2, never a traceback."""
    from prognosis.errors import PrognosisError

    # The matrices are small: threads of the linear algebra would only wait for each other and for torch's.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        status = app(prog_name="prognosis", standalone_mode=False)
    except PrognosisError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(INPUT_ERROR) from error
    except _USAGE_ERROR as error:
        sys.stderr.write(_usage_told(error))
        raise SystemExit(INPUT_ERROR) from error
    if status == INTERRUPTED:
        sys.stderr.write("stopped before the end\n")
    raise SystemExit(status or 0)


def _usage_told(error: typer.BadParameter) -> str:
    """What was wrong with the arguments, on one line; where there were none, the help itself."""
    message = error.format_message()
    if not message or "\n" in message:
        return message
    verb = error.ctx.command_path if error.ctx else "prognosis"
    return f"error: {message[0].lower()}{message[1:].rstrip('.')}; see {verb} --help\n"
