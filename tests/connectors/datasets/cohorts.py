"""Small cohorts in the published layouts, with invented patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Row = Mapping[str, object]


def png(path: Path, value: int = 7) -> Path:
    """A 5 x 4 grey image of one value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), value, dtype=np.uint8)).save(path)
    return path


def csv(path: Path, rows: Sequence[Row], encoding: str = "utf-8") -> Path:
    """A CSV file of the rows' columns; absent cells are empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(columns)] + [",".join(str(row.get(name, "")) for name in columns) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def hannover(folder: Path, rows: Sequence[Row]) -> Path:
    """A folder like the Hannover repository's; every row starts from a film on the day of admission."""
    base = {
        "patient_id": "a",
        "image_id": "i0",
        "sex": "f",
        "admission_offset": 0,
        "icu_admission_offset": "",
        "icu_release_offset": "",
        "death_offset": "",
        "modality": "CR",
        "projection": "ap",
        "crp_offset": "",
        "crp_val": "",
    }
    full = [{**base, "image_id": f"i{number}", **row} for number, row in enumerate(rows)]
    csv(folder / "data.csv", full)
    for row in full:
        if str(row["image_id"]).isalnum():
            png(folder / "images" / f"{row['image_id']}.png")
    return folder


def covid(folder: Path, rows: Sequence[Row], encoding: str = "utf-8") -> Path:
    """A folder like the covid-chestxray-dataset's."""
    base = {
        "patientid": "1",
        "offset": 0,
        "sex": "M",
        "age": 50,
        "view": "PA",
        "filename": "f0.png",
        "in_icu": "",
        "went_icu": "",
        "survival": "",
        "clinical_notes": "Cough.",
    }
    full = [{**base, "filename": f"f{number}.png", **row} for number, row in enumerate(rows)]
    csv(folder / "metadata.csv", full, encoding)
    for row in full:
        png(folder / "images" / Path(str(row["filename"])).name)
    return folder
