"""The five real lesions of pyradiomics' source archive, from its files to reports that were read back.

`python -m benchmarks.lesions DATA [--out DIR] [--json]`

DATA is the folder `data` of the unpacked archive (pip download pyradiomics==3.0.1 --no-deps, from source).
Its NRRD files become CT and MR series of DICOM files. All after that is the product: the series is loaded,
the lesion is measured, drawn, written as DICOM SEG and as a measurement report, and both are read back. What
pyradiomics measures stands beside (tests/golden/pyradiomics.json, and the script that made it).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from connectors.dicom import DicomFolder
from connectors.dicom.write_series import write_series
from prognosis.evidence.segmentation.measurements import Measurements, Part, measure, measured_parts
from prognosis.outputs.dicom_files import standard_files
from prognosis.outputs.dicom_seg import Algorithm
from prognosis.outputs.segmentation_figures import overlay_picture
from prognosis.record import ImagingStudy, Quarantine, Segmentation, Series, Volume

MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "pyradiomics.json"
MARKED_BY = Algorithm("masks of the pyradiomics archive", "3.0.1")
KINDS = {
    "brain1": ("MR", "HEAD", "brain lesion"),
    "brain2": ("MR", "HEAD", "brain lesion"),
    "breast1": ("MR", "BREAST", "breast lesion"),
    "lung1": ("CT", "CHEST", "lung lesion"),
    "lung2": ("CT", "CHEST", "lung lesion"),
}


@dataclass(frozen=True, slots=True)
class Lesion:
    """A volume of the archive as the product loaded it from DICOM files, and its lesion on that grid."""

    name: str
    volume: Volume
    segmentation: Segmentation
    originals: tuple[Dataset, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One volume's measurements beside pyradiomics'; of all its parts together, as pyradiomics measures."""

    name: str
    parts: int
    volume_ml: float
    volume_ratio: float
    mesh_volume_ratio: float
    long_axis_mm: float
    long_axis_ratio: float
    short_axis_mm: float
    longest_3d_mm: float
    longest_3d_ratio: float


def load(data: Path, name: str, folder: Path) -> Lesion:
    """Write a volume of the archive as a DICOM series, load that, and lay the mask on the loaded grid."""
    modality, body_part, structure = KINDS[name]
    voxels, affine = read_nrrd(data / f"{name}_image.nrrd")
    labels, _ = read_nrrd(data / f"{name}_label.nrrd")
    number = list(KINDS).index(name) + 1
    series = Series(f"2.25.{number}1", modality, "", body_part)
    study = ImagingStudy(MADE_AT, f"2.25.{number}", (series,))
    write_series(
        Volume(voxels.astype(np.float32), affine, "archive", modality),
        folder,
        study=study,
        series=series,
        patient_id=name,
    )
    source = DicomFolder(folder, f"dicom-folder:{folder}")
    (record,) = source.records(Quarantine())
    (volume,) = record.studies[0].volumes()
    (originals,) = source.originals(record.studies[0])
    if volume.affine[:3, 2] @ affine[:3, 2] < 0:  # loaded in the order of the images' normal
        voxels, labels = voxels[::-1], labels[::-1]
    if not np.array_equal(volume.voxels, voxels):
        raise SystemExit(f"{name}: loaded voxels differ from those of the archive")
    segmentation = Segmentation(labels.astype(np.uint8), (structure,), volume.affine, volume.source)
    return Lesion(name, volume, segmentation, originals)


def read_nrrd(path: Path) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """The voxels (z, y, x) of an NRRD file in LPS, and its affine in mm."""
    import nrrd

    values, header = nrrd.read(str(path))
    if header["space"] != "left-posterior-superior":
        raise SystemExit(f"{path.name}: is not in LPS")
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(header["space directions"]).T
    affine[:3, 3] = header["space origin"]
    return np.ascontiguousarray(values.transpose(2, 1, 0)), affine


def whole(lesion: Lesion) -> Measurements:
    """The size of everything that is marked, as one part."""
    mask = lesion.segmentation.labels == 1
    return measure(Part(lesion.segmentation.structures[0], 1, 1, mask, (0, 0, 0)), lesion.segmentation)


def compared(lesion: Lesion) -> Row:
    """The lesion's measurements and their ratios to pyradiomics'."""
    theirs = json.loads(GOLDEN.read_text(encoding="utf-8"))["volumes"][lesion.name]
    size = whole(lesion)
    volume, longest = float(size.volume_ml or np.nan), size.longest_3d
    if longest is None:
        raise SystemExit(f"{lesion.name}: has one slice")
    return Row(
        name=lesion.name,
        parts=len(measured_parts(lesion.segmentation)),
        volume_ml=volume,
        volume_ratio=1000 * volume / theirs["VoxelVolume"],
        mesh_volume_ratio=1000 * volume / theirs["MeshVolume"],
        long_axis_mm=size.axes.long.length,
        long_axis_ratio=size.axes.long.length / theirs["Maximum2DDiameterSlice"],
        short_axis_mm=size.axes.short.length,
        longest_3d_mm=longest.length,
        longest_3d_ratio=longest.length / theirs["Maximum3DDiameter"],
    )


def written(lesion: Lesion, folder: Path) -> dict[str, bytes]:
    """The lesion's DICOM SEG, measurement report and overlay, the first two read back, in a folder."""
    measured = measured_parts(lesion.segmentation)
    files = standard_files(
        lesion.segmentation, measured, lesion.originals, algorithm=MARKED_BY, made_at=MADE_AT
    )
    files["overlay.png"] = overlay_picture(lesion.volume, lesion.segmentation, measured, lesion.name).content
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{lesion.name}-{name}").write_bytes(content)
    return files


def main() -> None:
    """Load, measure, write and read back every volume, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/lesions"))
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    stated = parser.parse_args()
    rows = []
    for name in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            lesion = load(stated.data, name, Path(folder))
            rows.append(compared(lesion))
            written(lesion, stated.out)
    if stated.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print("volume   parts  volume (ml)  / voxels'  / mesh's  long axis (mm)  / theirs  3D (mm)  / theirs")
    for row in rows:
        print(
            f"{row.name:8} {row.parts:5} {row.volume_ml:12.3f} {row.volume_ratio:10.5f} "
            f"{row.mesh_volume_ratio:9.4f} {row.long_axis_mm:15.2f} {row.long_axis_ratio:9.4f} "
            f"{row.longest_3d_mm:8.2f} {row.longest_3d_ratio:9.5f}"
        )
    print(f"SEG and SR of all {len(rows)} volumes read back equal; they and the overlays are in {stated.out}")


if __name__ == "__main__":
    main()
