"""Draw the six lung zones that a segmentation model finds on films, in one contact sheet.

`python -m benchmarks.lung_zones_figure --model DIR --source covid-cxr:DIR [--source ..] --out PNG`

Films are taken at equal steps through the patients that did not train the model (with --seen: through all),
the first frontal film of each, in the order of their keys. A film whose outline is not that of two lungs is
shown and says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from prognosis.cli.loading import load_records
from prognosis.errors import StudyError
from prognosis.evidence.model_folder import patient_digest
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.storage import load_segmentation
from prognosis.evidence.segmentation.zones import ZONES, lung_zones
from prognosis.outputs.segmentation_figures import contact_sheet_picture
from prognosis.record import PatientRecord, Quarantine, Segmentation, Volume


def main() -> None:
    """Read the films, outline their lungs and write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--source", action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--seen", action="store_true", help="also patients that trained the model")
    stated = parser.parse_args()
    model = load_segmentation(stated.model)
    records = [
        record
        for record in load_records(stated.source, model.task, Quarantine())
        if stated.seen or patient_digest(record.key) not in model.patients
    ]
    films, names = [], []
    for site, volume in chosen(records, model, stated.films):
        zones, implausible = zoned(model.segment(volume))
        films.append((volume, zones))
        names.append(f"{site}, {volume.view}" + (f": {implausible}" if implausible else ""))
        print(names[-1])
    seen = "" if stated.seen else " of patients that did not train the model"
    picture = contact_sheet_picture(films, names, f"Six lung zones on {len(films)} films{seen}")
    stated.out.parent.mkdir(parents=True, exist_ok=True)
    stated.out.write_bytes(picture.content)
    print(f"wrote {stated.out}")


def chosen(
    records: Sequence[PatientRecord], model: SegmentationModel, count: int
) -> Iterator[tuple[str, Volume]]:
    """The first readable frontal film of patients at equal steps, with their sites.

    Raises:
        StudyError: There are fewer films than asked for.
    """
    views = model.task.index.views
    with_film = [
        (record.site, study)
        for record in records
        for study in record.studies[:1]
        if any(series.view in views for series in study.series)
    ]
    if len(with_film) < count:
        raise StudyError(
            "the sources", f"hold {len(with_film)} films", f"ask for at most so many, not {count}"
        )
    for place in np.linspace(0, len(with_film) - 1, count).round().astype(int):
        site, study = with_film[place]
        yield site, next(volume for volume in study.volumes() if volume.view in views)


def zoned(lungs: Segmentation) -> tuple[Segmentation, str]:
    """The six zones of a film's lungs, and why they cannot be believed."""
    zones = lung_zones(lungs)
    return replace(lungs, labels=zones.labels[None], structures=ZONES), zones.implausible


if __name__ == "__main__":
    main()
