"""Draw one patient's evidence map without the film: for documents that may not show the film itself.

`python benchmarks/evidence_map_figure.py --help` names what it needs; the README shows a command.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from prognosis.cli.loading import load_records
from prognosis.cli.risk import case_at, find_patient
from prognosis.errors import StudyError
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.regions import parse_layout
from prognosis.explanation import explain_case
from prognosis.fusion import load_model
from prognosis.prediction import predict_cases
from prognosis.record import Quarantine

DRIVERS = 8


def main() -> None:
    """Read the model and the patient, and write the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("patient")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--source", action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    stated = parser.parse_args()
    model = load_model(stated.model)
    case = case_at(
        model, find_patient(load_records(stated.source, model.task, Quarantine()), stated.patient), None
    )
    imaging = model.evidence["imaging"]
    located = imaging.evidence_map(case) if isinstance(imaging, ImagingEvidence) else None
    if not isinstance(imaging, ImagingEvidence) or located is None:
        raise StudyError(f"patient {stated.patient}", "has no readable film at the index", "name one who has")
    explanation, prediction = explain_case(model, case), predict_cases(model, [case])[0]
    layout = parse_layout(imaging.config.regions)
    share = {a.name: a.contribution for a in explanation.attributions if a.modality == "imaging"}

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.25])
    evidence = located.evidence[0]
    most = float(np.quantile(np.abs(evidence), 0.999))
    left.imshow(evidence, cmap="PuOr_r", vmin=-most, vmax=most, aspect="equal")
    rows, columns = evidence.shape
    for place, name in enumerate(layout.names):
        y, x = (place // layout.columns + 0.5) / layout.rows, (place % layout.columns + 0.5) / layout.columns
        left.text(x * columns, y * rows, f"{name}\n{share[name]:+.2f}", ha="center", va="center", fontsize=9)
    for line in range(1, layout.rows):
        left.axhline(line / layout.rows * rows, color="0.4", linewidth=0.8)
    for line in range(1, layout.columns):
        left.axvline(line / layout.columns * columns, color="0.4", linewidth=0.8)
    left.set_title("evidence of the film (orange raises the risk)", fontsize=10)
    left.set_xticks([])
    left.set_yticks([])

    shown = explanation.top(DRIVERS)[::-1]
    colours = ["#b35806" if a.contribution > 0 else "#542788" for a in shown]
    right.barh([a.leading.name for a in shown], [a.contribution for a in shown], color=colours)
    right.axvline(0.0, color="0.3", linewidth=0.8)
    risk = prediction.risks()[0]
    right.set_title(
        f"{risk.cause.replace('_', ' ')} within {risk.days:g} days: {risk.probability:.0%} "
        f"({risk.low:.0%} to {risk.high:.0%})\nlargest drivers, log-odds",
        fontsize=10,
    )
    stated.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(stated.out, dpi=110)


if __name__ == "__main__":
    main()
