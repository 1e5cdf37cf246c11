"""Write pyradiomics.json: what pyradiomics 3.0.1 measures of the five volumes in its own source archive.

Run by hand, in an environment of its own where pyradiomics is built from source; nothing of the project
imports it. The folder is `data` of the unpacked archive pyradiomics-3.0.1.tar.gz:

    python tests/golden/make_pyradiomics.py FOLDER

Diameters are between points of pyradiomics' mesh. Those of `Maximum2DDiameterSlice` also lie halfway between
two slices; `diameter_within_slices` leaves these out, by comparing every pair of border points of a slice.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK
from radiomics import featureextractor

NAMES = ("brain1", "brain2", "breast1", "lung1", "lung2")
FEATURES = ("VoxelVolume", "MeshVolume", "Maximum2DDiameterSlice", "Maximum3DDiameter")


def diameter_within_slices(label: SimpleITK.Image) -> float:
    """The largest distance in mm between border points of one slice, halfway to a neighbour outside."""
    spacing = np.array(label.GetSpacing()[:2])
    longest = 0.0
    for plane in np.pad(SimpleITK.GetArrayFromImage(label) > 0, ((0, 0), (1, 1), (1, 1))):
        points = []
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            border = np.argwhere(plane & ~np.roll(plane, -step, axis)).astype(float)
            border[:, axis] += step / 2
            points.append(border[:, ::-1] * spacing)
        border = np.concatenate(points)
        for point in border:
            longest = max(longest, float(np.sqrt(((border - point) ** 2).sum(axis=1)).max()))
    return longest


def main(folder: Path) -> None:
    """Measure every volume and write the values beside this file."""
    extractor = featureextractor.RadiomicsFeatureExtractor()
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("shape")
    values = {}
    for name in NAMES:
        image, label = (
            SimpleITK.ReadImage(str(folder / f"{name}_{kind}.nrrd")) for kind in ("image", "label")
        )
        found = extractor.execute(image, label, label=1)
        values[name] = {feature: float(found[f"original_shape_{feature}"]) for feature in FEATURES}
        values[name]["diameter_within_slices"] = diameter_within_slices(label)
    written = json.dumps({"pyradiomics": "3.0.1", "volumes": values}, indent=1)
    Path(__file__).with_name("pyradiomics.json").write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
