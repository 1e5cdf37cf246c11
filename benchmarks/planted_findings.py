"""Two findings planted in simulated films, a lesion in either lung: judged against the truth, and pointed at.

`python -m benchmarks.planted_findings [--patients 400] [--seed 0] [--unknown 0.3] [--epochs 4] [--json]`

Each is left out of three films in ten at random, as a report would that is silent about it. A model is
trained on six patients in ten; of the others it is asked how probable each finding is, also where nothing is
stated, and where its evidence lies. Intervals are 95% percentile intervals over resampled patients.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence_maps import recipe_of, shown
from prognosis.cohort import Case, Cohort, Task, build_cohort, cohort_target, held_out_rows
from prognosis.cohort.target import ABSENT, PRESENT
from prognosis.evaluation.finding_metrics import prepare_findings
from prognosis.evaluation.localisation import localisation, localise
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.fusion import FusionModel, ModelConfig, train_model
from prognosis.record import Code, Event, PatientRecord
from prognosis.simulate import Dials, simulate_cohort
from prognosis.simulate.film import PIXELS, lesion_mask
from prognosis.survival.bootstrap import Interval

SIDES = ("right", "left")
HELD_OUT = 0.4
REPLICATES = 1000
TASK = Task.from_statement(
    {
        "name": "planted_findings",
        "question": "Does the latest film show a lesion in the right lung, and one in the left?",
        "index": {"at": "study", "occurrence": "last"},
        "outcome": {
            "kind": "findings",
            "findings": {
                f"{side} lung": {"code": f"outcome|{side}-lung", "present": ["1"], "absent": ["0"]}
                for side in SIDES
            },
        },
    },
    "planted_findings",
)


def truth(case: Case) -> NDArray[np.bool_]:
    """(2,) whether the latest film shows a lesion in the right and in the left lung."""
    held = [lesion.zone.split()[0] for lesion in recipe_of(case, -1).lesions]
    return np.array([side in held for side in SIDES])


def stated(case: Case, said: NDArray[np.bool_]) -> PatientRecord:
    """The record with what a report says of the latest film; (2,) `said` is False where it is silent."""
    present = truth(case)
    time = case.record.studies[-1].time
    events = [
        Event(time, Code("outcome", f"{side}-lung"), float(present[place]))
        for place, side in enumerate(SIDES)
        if said[place]
    ]
    return replace(case.record, events=tuple(sorted([*case.record.events, *events], key=lambda e: e.time)))


def cohort_of(patients: int, seed: int, unknown: float) -> Cohort:
    """The simulated patients of whose latest film one finding is stated at least."""
    asked = build_cohort(TASK, simulate_cohort(Dials(patients=patients), seed).records, require_labels=False)
    said = np.random.default_rng(seed).random((len(asked), len(SIDES))) >= unknown
    return build_cohort(TASK, [stated(case, own) for case, own in zip(asked.cases, said, strict=True)])


def judged(model: FusionModel, unseen: Cohort, seed: int) -> dict[str, Interval]:
    """The metrics of each finding on every held-out film, against what was planted."""
    risk = model.cumulative_incidence(unseen.cases, np.array([1.0]))[:, :, 0]
    marks = np.where([truth(case) for case in unseen.cases], PRESENT, ABSENT).astype(np.int8)
    one_model = np.zeros(len(unseen), dtype=np.int64)
    prepared = prepare_findings(risk, marks, TASK.causes, unseen.patients, one_model)
    return dict(prepared.bootstrap(REPLICATES, seed).metrics)


def pointed(model: FusionModel, unseen: Cohort, seed: int) -> dict[str, Interval]:
    """How often the maximum of a finding's map lies in one of its lesions, or a cell away; and by chance."""
    imaging = model.evidence["imaging"]
    if not isinstance(imaging, ImagingEvidence):
        raise SystemExit("the model reads no films")
    found: dict[str, Interval] = {}
    for place, side in enumerate(SIDES):
        hits, names = [], []
        for case in unseen.cases:
            recipe = recipe_of(case, -1)
            own = [lesion for lesion in recipe.lesions if lesion.zone.startswith(side)]
            film = read_image(case.record.studies[-1], case.patient, imaging.config, imaging.gate)
            if own and isinstance(film, Film):
                mask = np.logical_or.reduce([lesion_mask(lesion, recipe.film_seed) for lesion in own])
                tolerance = PIXELS / imaging.config.cells[0]
                hits.append(localise(imaging.map_of(film).evidence[place], mask, tolerance))
                names.append(case.patient)
        where = localisation(hits, np.array(names), REPLICATES, seed)
        found |= {f"points:{side} lung": where.points, f"by chance:{side} lung": where.points_by_chance}
    return found


def main() -> None:
    """Simulate, train, judge and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--unknown", type=float, default=0.3, help="share of films that a finding is not stated of"
    )
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    stated_options = parser.parse_args()
    seed = stated_options.seed
    cohort = cohort_of(stated_options.patients, seed, stated_options.unknown)
    target = cohort_target(cohort)
    held = held_out_rows(cohort.patients, target.cause, HELD_OUT, seed)
    settings = {"modalities": ["imaging"], "folds": 3, "imaging": {"epochs": stated_options.epochs}}
    training, unseen = cohort.take(np.flatnonzero(~held)), cohort.take(np.flatnonzero(held))
    model = train_model(training, ModelConfig.model_validate(settings))
    found = judged(model, unseen, seed) | pointed(model, unseen, seed)
    if stated_options.json:
        print(json.dumps({name: [each.value, each.low, each.high] for name, each in found.items()}, indent=1))
        return
    print(f"{len(training)} films learnt from, {len(unseen)} judged")
    print("\n".join(shown(name, each) for name, each in found.items()))


if __name__ == "__main__":
    main()
