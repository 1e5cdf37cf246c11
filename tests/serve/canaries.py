"""A thousand identifiers that occur nowhere else, patients who have some, and where they may not be found."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulated import Simulated

KINDS = ("pat", "nam", "mrn", "acc", "txt")
"""Patient ids, names, record numbers, accession numbers and words of notes."""

EACH = 200
_FORM = re.compile(rf"(?:{'|'.join(KINDS)})-[0-9a-f]{{12}}", re.IGNORECASE)
ACSN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}


def canary(kind: str, number: int) -> str:
    return f"{kind}-{hashlib.sha256(f'{kind}{number}'.encode()).hexdigest()[:12]}"


CANARIES = {kind: tuple(canary(kind, number) for number in range(EACH)) for kind in KINDS}
EVERY = tuple(each for kind in KINDS for each in CANARIES[kind])
_KNOWN = frozenset(EVERY)


def study_uid(number: int) -> str:
    """Of a patient's study; it identifies a person too."""
    return f"2.25.777000{number:04d}"


def found_in(text: str) -> set[str]:
    """The canaries in a text, and study UIDs."""
    return {each.lower() for each in _FORM.findall(text)} & _KNOWN | set(
        re.findall(r"2\.25\.777000\d+", text)
    )


def chunks(of: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(of[start : start + size]) for start in range(0, len(of), size))


@dataclass
class Heard(logging.Handler):
    """All that any logger says, at DEBUG, with its arguments and tracebacks.

    Attributes:
        lines: What was said.
        names: By whom.
    """

    lines: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(logging.NOTSET)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        self.lines.append(f"{record.getMessage()} {record.args!r} {self.format(record)}")


@contextmanager
def every_logger() -> Iterator[Heard]:
    """Every logger at DEBUG and heard, whatever it was set to; what was filtered or disabled stays so."""
    heard, root = Heard(), logging.getLogger()
    found = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(each, each.level, each.propagate) for each in (root, *found)]
    for each in (root, *found):
        each.setLevel(logging.DEBUG)
        each.propagate = True
    root.addHandler(heard)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        for each, level, propagate in before:
            each.setLevel(level)
            each.propagate = propagate


def names_under(*folders: Path) -> str:
    """The names of everything in some folders."""
    return "\n".join(str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*"))


def patients(small: Simulated, folder: Path, count: int) -> Path:
    """An export of some patients of the simulation under canaries, each with a study of its own UID."""
    folder.mkdir()
    lines: dict[str, list[str]] = {}
    for path in small.folder.rglob("*.ndjson"):
        lines[path.stem] = path.read_text(encoding="utf-8").splitlines()
    written: list[str] = []
    for number, case in enumerate(small.complete[:count]):
        patient, studies = case.record.patient_id, [each.study_uid for each in case.record.studies]
        for kind, stated in lines.items():
            own = [each for each in stated if f'"{patient}"' in each or f"Patient/{patient}" in each]
            if kind == "ImagingStudy":
                own = [each for each in own if studies[-1] in each]
            for line in own:
                renamed = line.replace(patient, CANARIES["pat"][number])
                resource = json.loads(renamed.replace(studies[-1], study_uid(number)))
                written.append(json.dumps(_marked(resource, number)))
    written += lines["Organization"]
    (folder / "all.ndjson").write_text("\n".join(written), encoding="utf-8")
    return folder


def _marked(resource: dict[str, Any], number: int) -> dict[str, Any]:
    kind = resource["resourceType"]
    if kind == "Patient":
        resource["name"] = [{"family": CANARIES["nam"][number]}]
        resource["identifier"] = [{"system": "urn:mrn", "value": CANARIES["mrn"][number]}]
    elif kind == "ImagingStudy":
        resource["identifier"].append({"type": ACSN, "value": CANARIES["acc"][number]})
    elif kind == "DocumentReference":
        attachment = resource["content"][0]["attachment"]
        text = base64.b64decode(attachment["data"]).decode() + f"\n{CANARIES['txt'][number]} has lost weight."
        attachment["data"] = base64.b64encode(text.encode()).decode()
    return resource


def entries(of: Iterable[str]) -> list[dict[str, Any]]:
    """Notes of an EHR's chart, one a word."""
    return [
        {"resource": {"resourceType": "DocumentReference", "id": each, "description": each}} for each in of
    ]
