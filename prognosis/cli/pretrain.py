"""`prognosis pretrain`: studies without outcomes to an encoder's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.loading import load_records
from prognosis.cli.settings import merged, read_settings, stated_settings
from prognosis.cohort.selection import PART_CODE
from prognosis.errors import ConfigError, SourceError
from prognosis.evidence.imaging.pretraining import PretrainingConfig, pretrain_encoder, unlabelled_images
from prognosis.evidence.model_folder import patient_digest
from prognosis.record import PatientRecord, Quarantine

ACCOUNT = "pretraining.json"
TRAINING_PART = "train"


def run_pretrain(
    sources: Sequence[str],
    out: Path,
    config_path: Path | None,
    settings: Sequence[str],
    exclude: Path | None,
    *,
    json_output: bool,
) -> None:
    """Train an encoder on the sources' studies and write its folder.

    Where a source fixes its own split, only its training part is read. Patients named in `exclude` are never
    opened: those on whom a model will be judged, unless its judgement is to be called transductive.
    """
    stated = merged(read_settings(config_path) if config_path else {}, stated_settings(settings))
    config = PretrainingConfig.from_statement(stated, str(config_path or "--set"))
    if out.exists() and any(out.iterdir()):
        raise SourceError(str(out), "is not empty", "name a new folder")
    records = load_records(sources, None, Quarantine())
    with Bars() as bars:
        started = time.monotonic()
        images = unlabelled_images(records, config.imaging, _left_out(records, exclude), bars)
        found = pretrain_encoder(images, config, bars)
    found.encoder.save(out)
    account: dict[str, Any] = {
        "digest": found.encoder.digest,
        "images": len(images.channels),
        "patients": sorted(patient_digest(patient) for patient in images.patients),
        "withheld": dict(images.withheld),
        "losses": [round(loss, 4) for loss in found.losses],
        "settings": config.model_dump(mode="json"),
        "seconds": round(time.monotonic() - started, 1),
    }
    (out / ACCOUNT).write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")
    stderr.print(
        f"wrote {out}: {account['images']} images of {len(images.patients)} patients, "
        f"loss {found.losses[0]:.2f} to {found.losses[-1]:.2f}, {account['seconds']} s",
        markup=False,
    )
    if json_output:
        print_json({"encoder": str(out), **account})


def _left_out(records: Sequence[PatientRecord], exclude: Path | None) -> Callable[[PatientRecord], bool]:
    """Who must not be seen: patients that are named, and parts of a source's split other than training.

    Raises:
        ConfigError: The file cannot be read or names a patient whom no source has.
    """
    named: set[str] = set()
    if exclude is not None:
        try:
            named = {
                line.strip() for line in exclude.read_text(encoding="utf-8").splitlines() if line.strip()
            }
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                str(exclude), "cannot be read", "give a file with one patient id a line"
            ) from error
        unknown = named - {name for record in records for name in (record.patient_id, record.key)}
        if unknown:
            raise ConfigError(
                str(exclude),
                f"names {len(unknown)} patients whom no source has",
                "write ids as the sources do",
            )

    def left_out(record: PatientRecord) -> bool:
        part = next((event.text for event in record.events if str(event.code) == PART_CODE), TRAINING_PART)
        return part != TRAINING_PART or record.patient_id in named or record.key in named

    return left_out
