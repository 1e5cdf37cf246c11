"""Options and arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SourceOption = Annotated[
    list[str],
    typer.Option(
        "--source", help="scheme:place; repeat it for several sites. `prognosis doctor` lists the schemes."
    ),
]
TaskArgument = Annotated[
    Path, typer.Argument(help="A task file, e.g. configs/tasks/cxr_intensive_care.yaml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write.")]
SettingOption = Annotated[
    list[str] | None, typer.Option("--set", help="Override a model setting, e.g. --set imaging.epochs=10.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A model configuration (YAML).")]

WriteBackOption = Annotated[
    str | None, typer.Option("--write-back", help="Also write the answer to fhir-server:URL, once.")
]


def _cache_folder(stated: str) -> Path:
    """The folder that was named: "" is the current one to a path, and what an unset variable leaves."""
    if not stated.strip():
        message = "names no folder; leave the option out to keep nothing"
        raise typer.BadParameter(message)
    return Path(stated)


CACHE = typer.Option(
    "--cache",
    envvar="PROGNOSIS_CACHE",
    parser=_cache_folder,
    metavar="PATH",
    help="A folder for what the model needs of each study, so that none is read twice: patient data.",
)
CacheOption = Annotated[Path | None, CACHE]

WriteImagesOption = Annotated[
    str | None,
    typer.Option(help="dicomweb:URL: also store the answer as DICOM objects beside the images that it read."),
]
StateOption = Annotated[
    Path, typer.Option("--state", help="The service's folder: its audit, scores and key; patient data.")
]
AuditHeadOption = Annotated[
    Path | None,
    typer.Option("--audit-head", help="Where the audit's head is kept; best under another owner or disk."),
]
AuditStateOption = Annotated[
    Path | None,
    typer.Option("--state", help="A service's folder: note this in its audit; no service may use it now."),
]
