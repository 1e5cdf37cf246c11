"""One real lesion learnt by heart: a 3D network through training, the model's folder and `prognosis segment`.

`python -m benchmarks.overfit_lesion DATA [--out DIR] [--epochs N]`

DATA is as for benchmarks.lesions. The network is trained on one volume and asked about the same one: that
says that every step from the DICOM files to the DICOM SEG keeps voxels in their places, and nothing about
how well such a model finds lesions it has not seen. The Dice is that of the written SEG and the mask.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from highdicom.seg import segread

from benchmarks.lesions import KINDS, Lesion, load
from prognosis.cli.console import Bars
from prognosis.cli.segment import run_segment
from prognosis.cohort import Task
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.storage import save_segmentation
from prognosis.evidence.segmentation.training import read_example, train_network
from prognosis.outputs.dicom_grid import source_frames

NAME = "breast1"  # small enough for the network to see all of it at once


def main() -> None:
    """Train, save, segment by the command line, and compare what was written with the mask."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/overfit"))
    parser.add_argument("--epochs", type=int, default=120)
    stated = parser.parse_args()
    images = stated.out / "images"
    lesion = load(stated.data, NAME, images)
    started = time.monotonic()
    learn(lesion, stated.epochs, stated.out / "model")
    seconds = time.monotonic() - started
    run_segment(str(images), stated.out / "model", stated.out / "segmented", (), json_output=False)
    (seg,) = (stated.out / "segmented").rglob("seg.dcm")
    print(f"trained for {stated.epochs} epochs in {seconds:.0f} s")
    print(f"Dice of {seg} and the archive's mask: {written_dice(lesion, seg):.4f}")


def learn(lesion: Lesion, epochs: int, folder: Path) -> SegmentationModel:
    """A model of this one lesion, saved."""
    structure = KINDS[lesion.name][2]
    task = Task.from_statement(
        {
            "name": f"overfit_{lesion.name}",
            "question": "Where is this lesion?",
            "intended_use": "To see that the way from files to files keeps every voxel. Of no other use.",
            "index": {"at": "study"},
            "outcome": {"kind": "mask", "structures": [structure]},
        },
        "benchmarks/overfit_lesion.py",
    )
    config = SegmentationConfig(
        channels=(8, 16, 32, 64),
        epochs=epochs,
        augment=0.0,
        mirror=False,
        averaging=0.9,
        learning_rate=1e-2,
        patch=(24, 120, 48),
        batch=1,
    )
    example = read_example(lesion.volume, lesion.segmentation, (structure,), config)
    with Bars() as bars:
        network = train_network([example], (structure,), config, 0, bars)
    model = SegmentationModel(task, config, 3, network, 1, frozenset())
    return save_segmentation(model, folder, f"# {task.name}\n\n{task.intended_use}\n", {"images": 1})


def written_dice(lesion: Lesion, path: Path) -> float:
    """Dice of a written SEG and the lesion's mask, image by image."""
    uids = [image.SOPInstanceUID for image in lesion.originals]
    found = segread(path).get_pixels_by_source_instance(
        uids, combine_segments=True, assert_missing_frames_are_empty=True
    )
    marked = source_frames(
        lesion.segmentation.labels.astype(np.uint16), lesion.segmentation, lesion.originals
    )
    return float(2 * np.count_nonzero((found > 0) & (marked > 0)) / ((found > 0).sum() + (marked > 0).sum()))


if __name__ == "__main__":
    main()
