"""Whether a trained imaging model may be run in int8: its AUROC and its evidence, beside single precision.

    pip install -c constraints.txt nncf
    python -m benchmarks.int8_gate MODEL --source pneumoniamnist:FILE [--out results/int8.json]

Each fold's network is quantised by NNCF (weights and activations, symmetric weights a channel) with
calibration images drawn from the patients that trained the model, and judged on those that did not. The gate
accepts int8 where the AUROC stays within 0.002 and no cell's evidence moves by more than is accepted of
bfloat16: what is shown to a reader is the cells' evidence, and not the AUROC.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import nn

from prognosis.cli.loading import load_cohort
from prognosis.cohort import Case
from prognosis.evidence.imaging import openvino_export
from prognosis.evidence.imaging.arrays import film_arrays
from prognosis.evidence.imaging.films import gather_films
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.runtime import SHORT
from prognosis.fusion import load_model

AUROC_KEPT = 0.002
_BATCH = 16

Images = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided, and from what.

    Attributes:
        model_id: The model.
        calibration: Images that the ranges of activations were learnt on.
        judged: Images of patients that did not train the model.
        auroc: In single precision.
        auroc_int8: In int8.
        moved: Largest change of a cell's evidence, as a share of the largest evidence of a cell.
        faster: Times, in processor time of the networks alone, OpenVINO in both.
        accepted: Whether both limits are kept.
    """

    model_id: str
    calibration: int
    judged: int
    auroc: float
    auroc_int8: float
    moved: float
    faster: float
    accepted: bool


class Exported(nn.Module):
    """An OpenVINO model in a network's place."""

    def __init__(self, model: Any, image: Images) -> None:  # noqa: ANN401
        super().__init__()
        shape = (_BATCH, *image.shape[1:])
        self.run = openvino_export.compiled(model, shape, threads=torch.get_num_threads(), bfloat16=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, causes, *cells)."""
        batches = torch.split(images, _BATCH)
        return torch.cat([torch.from_numpy(self.run(batch.numpy())) for batch in batches])


def quantised(model: Any, images: Images) -> Any:  # noqa: ANN401
    """The model in int8, its activations' ranges those of the images."""
    os.environ.setdefault("NNCF_CI", "1")  # NNCF reports to its makers unless it takes itself to be tested
    import nncf

    own = model.clone()
    own.reshape([_BATCH, *images.shape[1:]])
    whole = len(images) // _BATCH
    batches = [images[number * _BATCH : (number + 1) * _BATCH] for number in range(whole)]
    return nncf.quantize(own, nncf.Dataset(batches), subset_size=whole)


def _channels(imaging: ImagingEvidence, cases: Sequence[Case]) -> Images:
    table = gather_films(cases, imaging.config, gate=imaging.gate)
    return film_arrays(table.films, imaging.config, encoder=imaging.encoder).channels.astype(np.float32)


def _evidence(
    imaging: ImagingEvidence, folds: Sequence[FoldMembers], cases: Sequence[Case]
) -> NDArray[np.float64]:
    config = imaging.config.model_copy(update={"runtime": "torch"})  # what `Exported` is, it is already
    return replace(imaging, folds=tuple(folds), config=config).summarise(cases).evidence[:, 0, 0]


def _seconds(network: nn.Module, images: Images) -> float:
    best = np.inf
    for _ in range(4):
        started = time.process_time()
        with torch.inference_mode():
            network(torch.from_numpy(images))
        best = min(best, time.process_time() - started)
    return float(best)


def decide(folder: Path, source: str, calibration: int, seed: int) -> Decision:
    """Quantise the folds' networks and compare."""
    model = load_model(folder)
    imaging = model.evidence["imaging"]
    cases = load_cohort([source], model.task).cohort.cases
    new = [case for case in cases if not model.was_trained_on(case)]
    old = [case for case in cases if model.was_trained_on(case)]
    drawn = np.random.default_rng(seed).permutation(len(old))[:calibration]
    shown, judged = _channels(imaging, [old[row] for row in drawn]), _channels(imaging, new)
    single, short, moved, seconds = [], [], 0.0, [0.0, 0.0]
    for fold in imaging.folds:
        if fold.network is None:
            message = f"{model.model_id} has no network"
            raise SystemExit(message)
        exported = openvino_export.openvino_model(fold.network.eval(), judged[:1])
        both = [Exported(each, judged) for each in (exported, quantised(exported, shown))]
        with torch.inference_mode():
            plain, changed = (network(torch.from_numpy(judged)).numpy() for network in both)
        moved = max(moved, float(np.abs(changed - plain).max() / np.abs(plain).max()))
        seconds = [spent + _seconds(network, judged) for spent, network in zip(seconds, both, strict=True)]
        single.append(replace(fold, trained=both[0]))
        short.append(replace(fold, trained=both[1]))
    label = np.array([case.label.category in model.task.causes for case in new])
    auroc, auroc_int8 = (
        float(roc_auc_score(label, _evidence(imaging, folds, new))) for folds in (single, short)
    )
    return Decision(
        model.model_id,
        len(drawn) // _BATCH * _BATCH,
        len(new),
        auroc,
        auroc_int8,
        moved,
        seconds[0] / seconds[1],
        abs(auroc_int8 - auroc) <= AUROC_KEPT and moved <= SHORT,
    )


def main() -> None:
    """Print the decision, and write it where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--source", required=True)
    parser.add_argument("--calibration", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    decision = json.dumps(asdict(decide(asked.model, asked.source, asked.calibration, asked.seed)), indent=1)
    print(decision)
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(decision + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
