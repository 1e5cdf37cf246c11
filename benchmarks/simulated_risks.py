"""The heads that are compared on a simulated cohort, and the risks that they and the oracles give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_inputs import SimulatedRun
from prognosis.evaluation.late_fusion import LateFusion, fit_late_fusion
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.head import HazardHead, cumulative_incidence
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.recalibration import recalibrate
from prognosis.survival.brier import had_event, known_state_weights
from prognosis.survival.censoring import estimate_censoring
from prognosis.survival.concordance import harrell_c

Floats = NDArray[np.float64]

CAUSE = "progression"
FUSED, LATE = "fused", "late fusion"
OBSERVED, FULL = "observed oracle", "full oracle"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Patients seen through one subset of modalities.

    Attributes:
        rows: Which of the judged patients.
        risk: (n,) predicted risk of progression by the horizon.
        outcome: (n,) True where it was seen by then.
        known: (n,) inverse-probability weight of the state then, from the training patients' censoring.
    """

    rows: NDArray[np.intp]
    risk: Floats
    outcome: NDArray[np.bool_]
    known: Floats


def train_head(run: SimulatedRun, inputs: FusionInputs) -> HazardHead:
    """The head as `train_model` fits it, on the training patients' evidence or a changed form of it."""
    exposure = exposure_of(run.training.target)
    parameters = fit_head(inputs, exposure, run.config.fusion)
    return recalibrate(parameters.head(), inputs, exposure, np.ones(len(inputs)))


def risk(head: HazardHead | LateFusion, inputs: FusionInputs) -> Floats:
    """(n,) log-hazard of progression averaged over bins; higher is worse."""
    return np.asarray(head.log_hazard(inputs).mean(axis=2)[:, 0])


def only(inputs: FusionInputs, *names: str) -> FusionInputs:
    """The inputs with the named modalities and no others."""
    return inputs.keeping([name in names for name in inputs.modalities])


def without(inputs: FusionInputs, name: str) -> FusionInputs:
    """The inputs with one modality taken from everybody."""
    return inputs.keeping([other != name for other in inputs.modalities])


def shuffled(inputs: FusionInputs, name: str, seed: int) -> FusionInputs:
    """The inputs with one modality, its absence included, dealt to other patients."""
    place = inputs.modalities.index(name)
    order = np.random.default_rng(seed).permutation(len(inputs))

    def dealt(each: tuple[Floats, ...]) -> tuple[Floats, ...]:
        return tuple(values[order] if m == place else values for m, values in enumerate(each))

    present, distance = inputs.present.copy(), inputs.distance.copy()
    present[:, place], distance[:, place] = present[order, place], distance[order, place]
    return replace(
        inputs,
        present=present,
        distance=distance,
        evidence=dealt(inputs.evidence),
        vectors=dealt(inputs.vectors),
    )


def risks_of(run: SimulatedRun, head: HazardHead) -> dict[str, Floats]:
    """Every method's (n,) risk for the judged patients.

    Late fusion is of evidence that each modality was fitted to by itself; "x alone" is of `singles_of`.
    "without x": x taken from everybody. "x shuffled": x dealt to other judged patients. "x as planted": the
    evidence of x replaced by what was planted in it, the rest ours.
    """
    inputs, names = run.judged.inputs, run.judged.inputs.modalities
    late = fit_late_fusion(run.training.alone, exposure_of(run.training.target))
    found = {FUSED: risk(head, inputs), LATE: risk(late, run.judged.alone)}
    found |= {f"{name} alone": own for name, own in singles_of(run).items()}
    for name in names:
        found[f"without {name}"] = risk(head, without(inputs, name))
        found[f"{name} shuffled"] = risk(head, shuffled(inputs, name, run.seed))
    found |= _as_planted(run, head)
    oracle = run.judged.oracle
    return found | {OBSERVED: oracle.observed(CAUSE), FULL: oracle.full(CAUSE)}


def singles_of(run: SimulatedRun) -> dict[str, Floats]:
    """Each modality's (n,) risk from a model of it, evidence and head fitted as if there were no other."""
    found = {}
    for name in run.judged.alone.modalities:
        head = train_head(run, run.training.alone.single(name))
        found[name] = risk(head, run.judged.alone.single(name))
    return found


def relearnt_risks(run: SimulatedRun, name: str) -> dict[str, Floats]:
    """(n,) risks of a model that learnt from training patients among whom a modality was dealt.

    It reads the judged patients as they are: with the modality, and without it.
    """
    head, inputs = train_head(run, run.training.inputs), run.judged.inputs
    return {
        f"{name} learnt shuffled": risk(head, inputs),
        f"without {name}, {name} learnt shuffled": risk(head, without(inputs, name)),
    }


def _as_planted(run: SimulatedRun, head: HazardHead) -> dict[str, Floats]:
    """Our log-hazard with one piece of it replaced by the planted one: what perfect reading would give."""
    inputs, truth = run.judged.inputs, run.judged.oracle.parts[CAUSE]
    ours = head.log_hazard(inputs).mean(axis=2)[:, 0]
    additive = replace(head, strengths=np.zeros_like(head.strengths))
    found = {}
    for place, name in enumerate(inputs.modalities):
        here = inputs.present[:, place]
        own = additive.log_hazard(inputs) - _less(additive, inputs, place)
        found[f"{name} as planted"] = ours + np.where(
            here, getattr(truth, name) - own.mean(axis=2)[:, 0], 0.0
        )
    learnt = ours - additive.log_hazard(inputs).mean(axis=2)[:, 0]
    both = inputs.present[:, inputs.modalities.index("imaging")]
    found["interaction as planted"] = ours - learnt + np.where(both, truth.interaction, 0.0)
    return found


def _less(head: HazardHead, inputs: FusionInputs, place: int) -> Floats:
    """(n, K, B) log-hazard with one modality's evidence at the population's mean, though still present."""
    evidence = tuple(
        np.zeros_like(values) if m == place else values for m, values in enumerate(inputs.evidence)
    )
    return head.log_hazard(replace(inputs, evidence=evidence))


def parts_of(run: SimulatedRun, head: HazardHead) -> dict[str, dict[str, float]]:
    """What each modality's evidence says of what was planted in it, among judged patients who have it.

    "correlation": of our evidence with the planted log-hazard; "out_of_fold": the same for the training
    patients, as the head saw them; "c": of our log-hazard from it alone; "oracle_c": of the planted
    log-hazard; "share": of the oracle's C - 0.5. The interaction's parts have a correlation only.
    """
    found = {}
    for place, name in enumerate(run.judged.inputs.modalities):
        here = run.judged.inputs.present[:, place]
        planted = getattr(run.judged.oracle.parts[CAUSE], name)
        target = run.judged.target.take(here)
        ours, oracle = (
            harrell_c(target.days, target.cause, of, competing="censored").value
            for of in (risk(head, only(run.judged.inputs, name).take(here)), planted[here])
        )
        found[name] = {
            "correlation": _correlation(run.judged.inputs, place, planted),
            "out_of_fold": _correlation(
                run.training.inputs, place, getattr(run.training.oracle.parts[CAUSE], name)
            ),
            "c": ours,
            "oracle_c": oracle,
            "share": (ours - 0.5) / (oracle - 0.5),
        }
    inputs = run.judged.inputs
    learnt = risk(head, inputs) - risk(replace(head, strengths=np.zeros_like(head.strengths)), inputs)
    both = inputs.present[:, inputs.modalities.index("imaging")]
    planted = run.judged.oracle.parts[CAUSE].interaction
    varies = learnt[both].std() > 0 and planted[both].std() > 0
    found["interaction"] = {
        "correlation": float(np.corrcoef(learnt[both], planted[both])[0, 1]) if varies else 0.0
    }
    return found


def _correlation(inputs: FusionInputs, place: int, planted: Floats) -> float:
    here = inputs.present[:, place]
    ours = inputs.evidence[place][here].mean(axis=2)[:, 0]
    return float(np.corrcoef(ours, planted[here])[0, 1])


def calibrated(run: SimulatedRun, head: HazardHead, horizon_days: float) -> Mapping[str, Calibrated]:
    """The patients of every subset of modalities.

    "everybody": all patients as they are. "exactly": those whose records hold these modalities and no others.
    "at least": those whose records hold these and perhaps others, which are taken away.
    """
    inputs = run.judged.inputs
    found = {"everybody": seen_at(run, head, inputs, np.arange(len(inputs)), horizon_days)}
    for keep in product([False, True], repeat=len(inputs.modalities)):
        subset = np.array(keep)
        name = "+".join(np.array(inputs.modalities)[subset])
        exactly = np.flatnonzero((inputs.present == subset).all(axis=1))
        able = np.flatnonzero(inputs.present[:, subset].all(axis=1))
        if len(exactly):
            found[f"exactly {name or 'nothing'}"] = seen_at(run, head, inputs, exactly, horizon_days)
        if name and len(able):
            found[f"at least {name}"] = seen_at(run, head, inputs.keeping(subset), able, horizon_days)
    return found


def seen_at(
    run: SimulatedRun, head: HazardHead, inputs: FusionInputs, rows: NDArray[np.intp], horizon_days: float
) -> Calibrated:
    """What the head says of some judged patients by a horizon, beside what happened."""
    learnt, target, day = run.training.target, run.judged.target.take(rows), np.array([horizon_days])
    censoring = estimate_censoring(learnt.days, learnt.cause > 0)
    incidence = cumulative_incidence(head.log_hazard(inputs.take(rows)), learnt.edges, day)
    return Calibrated(
        rows,
        incidence[:, 0, 0],
        had_event(target.days, target.cause, day)[:, 0],
        known_state_weights(target.days, target.cause, day, censoring)[:, 0],
    )
