"""Whether explanations name what a simulated patient's hazard was planted in.

`python -m benchmarks.explained_truth [--patients N] [--seeds N] [--judged N] [--cache FOLDER] [--out FILE]`

One cohort trains a model for each training seed, another cohort is explained. Of a patient the generator's
true Shapley values are known, of everything that the log-hazard of progression was planted in and that the
record holds. Where the largest of them is at least twice the next, the largest driver of the explanation
should point at it: at its code, its sentence, its zone. Drivers are those that a reader is shown, made
without any knowledge of what was planted; the largest single attribution stands beside. A sentence that
denies a finding or was copied from an earlier note is a decoy, which should be nobody's largest driver.
Intervals are 95% percentile intervals over patients. It is a test of correctness on cohorts whose hazard is
known, and never clinical evidence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.cli.settings import model_config
from prognosis.cohort import Case, Task, build_cohort
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.localisation import mean_interval
from prognosis.evidence.text.sentences import normal_form
from prognosis.explanation import Attribution, Explanation, cohort_tokens, explain_tokens
from prognosis.fusion import FusionModel, load_model, save_model, train_model
from prognosis.simulate import Dials, Oracle, PlantedCause, planted_cause_of, simulate_cohort
from prognosis.simulate.sentences import FINDINGS
from prognosis.simulate.true_values import PIECES
from prognosis.survival.bootstrap import Interval

ROOT = Path(__file__).resolve().parents[1]
CAUSE = "progression"
TWICE = 2.0
JUDGED_SEED = 1000
REPLICATES = 1000
SHOWN = 0.05
"""Log-hazard from which a driver is counted as one that moves the answer: a hazard ratio of 1.05."""

FEWEST_SHOWN = 5
STABILITIES = ("ranks of drivers", "ranks of tokens", "ranks of drivers of 0.05 or more", "values of drivers")
_SAME = 1e-9
_STATED = frozenset(normal_form(text) for finding in FINDINGS for text in finding.stated)
_DENIED = frozenset(normal_form(text) for finding in FINDINGS for text in finding.negated)


@dataclass(frozen=True, slots=True)
class Named:
    """One patient.

    Attributes:
        patient: Whose.
        planted_in: Modality of the largest true contribution, which is at least twice the next; "" where it
            is not; "nowhere" where the record does not hold what it was planted in (a missing result).
        named_in: Modality of the largest driver.
        named: True where a part of the largest driver points at it.
        token_named: True where the largest single attribution does.
        decoy: True where the largest driver is of a decoy.
        decoys: True where a note holds one.
    """

    patient: str
    planted_in: str
    named_in: str
    named: bool
    token_named: bool
    decoy: bool
    decoys: bool


def dominant(oracle: Oracle, row: int) -> tuple[str, PlantedCause | None]:
    """The modality of the patient's dominant piece and where the record holds it; "" where none dominates."""
    values = oracle.true_values.values[CAUSE][row]
    order = np.argsort(-np.abs(values))
    if abs(values[order[0]]) < TWICE * abs(values[order[1]]):
        return "", None
    modality = PIECES[int(order[0])][0]
    for cause in oracle.planted[row]:
        if cause.modality == modality and abs(cause.contribution[CAUSE] - values[order[0]]) < _SAME:
            return modality, cause
    return "nowhere", None


def named(case: Case, explanation: Explanation, oracle: Oracle) -> Named:
    """Judge one explanation."""
    row = int(oracle.rows([case.record.patient_id])[0])
    planted = oracle.planted[row]
    modality, cause = dominant(oracle, row)

    def pointed(attribution: Attribution) -> PlantedCause | None:
        cited = f"{attribution.name} {attribution.detail}"
        return planted_cause_of(attribution.modality, attribution.source, cited, case.record, planted)

    def is_decoy(attribution: Attribution) -> bool:
        if attribution.modality != "text" or pointed(attribution) is not None:
            return False
        return normal_form(attribution.detail) in _STATED | _DENIED

    top = explanation.drivers[0]
    return Named(
        patient=case.patient,
        planted_in=modality,
        named_in=top.leading.modality,
        named=cause is not None and any(pointed(part) == cause for part in top.parts),
        token_named=cause is not None and pointed(explanation.attributions[0]) == cause,
        decoy=is_decoy(top.leading) and not any(pointed(part) for part in top.parts),
        decoys=any(is_decoy(each) for each in explanation.attributions),
    )


def stability(first: Sequence[Explanation], second: Sequence[Explanation]) -> dict[str, np.ndarray]:
    """(n,) how alike two models' values of each case are, an absent one being 0.

    Spearman's rank correlation of all drivers, of all single attributions, and of the drivers that move the
    answer of either model by `SHOWN` or more; Pearson's correlation of all drivers, to which near-zero values
    hardly count.
    """
    from scipy.stats import spearmanr

    alike: dict[str, list[float]] = {name: [] for name in STABILITIES}
    for pair in zip(first, second, strict=True):
        drivers = _beside([{each.key: each.contribution for each in why.drivers} for why in pair])
        shown = drivers[:, (np.abs(drivers) >= SHOWN).any(axis=0)]
        tokens: list[dict[tuple[str, str], float]] = [{}, {}]
        for why, own in zip(pair, tokens, strict=True):
            for each in why.attributions:
                own[each.key] = own.get(each.key, 0.0) + each.contribution
        enough = shown.shape[1] >= FEWEST_SHOWN
        found = (
            float(spearmanr(*drivers).statistic),
            float(spearmanr(*_beside(tokens)).statistic),
            float(spearmanr(*shown).statistic) if enough else np.nan,
            float(np.corrcoef(drivers)[0, 1]),
        )
        for name, value in zip(STABILITIES, found, strict=True):
            alike[name].append(value)
    return {name: np.array(values) for name, values in alike.items()}


def _beside(sums: Sequence[dict[tuple[str, str], float]]) -> np.ndarray:
    """(2, keys) two models' values of everything that either has."""
    keys = sorted(sums[0].keys() | sums[1].keys())
    return np.array([[own.get(key, 0.0) for key in keys] for own in sums])


def trained(patients: int, seed: int, cache: Path | None) -> FusionModel:
    """A model of the cohort that trains, at this training seed, from the cache where it is there."""
    folder = None if cache is None else cache / f"explained_{patients}_{seed}"
    if folder is not None and folder.exists():
        return load_model(folder)
    task = Task.load(ROOT / "configs" / "tasks" / "simulated_progression.yaml")
    config = model_config(ROOT / "configs" / "models" / "default.yaml", [f"seed={seed}"], task)
    cohort = build_cohort(task, simulate_cohort(Dials(patients=patients), 0).records)
    model = train_model(cohort, config)
    return model if folder is None else save_model(model, folder, "# A benchmark's model\n", {})


def judge(patients: int, seeds: int, judged: int, cache: Path | None) -> dict[str, Any]:
    """Train, explain and count; plain JSON."""
    made = simulate_cohort(Dials(patients=judged), JUDGED_SEED)
    explained: list[list[Explanation]] = []
    cases: Sequence[Case] = ()
    for seed in range(seeds):
        model = trained(patients, seed, cache)
        cases = build_cohort(model.task, made.records).cases
        explained.append([explain_tokens(model, known, CAUSE) for known in cohort_tokens(model, cases)])
    by_seed = [
        counted([named(case, why, made.oracle) for case, why in zip(cases, own, strict=True)])
        for own in explained
    ]
    whose = np.array([case.patient for case in cases])
    pairs = [
        {
            name: interval_json(over(values[~np.isnan(values)], whose[~np.isnan(values)]))
            for name, values in stability(explained[0], other).items()
        }
        for other in explained[1:]
    ]
    return {
        "training_patients": patients,
        "explained_patients": len(cases),
        "by_training_seed": by_seed,
        "alike_between_training_seeds": pairs,
        "max_additivity_error": max(why.max_additivity_error for own in explained for why in own),
    }


def counted(found: Sequence[Named]) -> dict[str, Any]:
    """Shares of one model, with intervals over patients."""
    shares: dict[str, Any] = {}
    dominated = [each for each in found if each.planted_in not in {"", "nowhere"}]
    groups = {"all": dominated} | {
        modality: [each for each in dominated if each.planted_in == modality]
        for modality in ("clinical", "text", "imaging")
    }
    for name, group in groups.items():
        shares[name] = {
            "patients": len(group),
            "largest_driver_names_it": share(group, [each.named for each in group]),
            "largest_attribution_names_it": share(group, [each.token_named for each in group]),
            "misnamed_in": dict(Counter(each.named_in for each in group if not each.named)),
        }
    decoys = [each for each in found if each.decoys]
    return {
        "dominant_piece": shares,
        "dominant_piece_not_in_the_record": sum(each.planted_in == "nowhere" for each in found),
        "decoy_is_largest": share(found, [each.decoy for each in found]),
        "decoy_is_largest_where_there_is_one": share(decoys, [each.decoy for each in decoys]),
        "patients_with_decoys": len(decoys),
    }


def share(group: Sequence[Named], true: Sequence[bool]) -> dict[str, Any] | None:
    """The share, with its interval over patients; None for no patient."""
    if not group:
        return None
    return interval_json(over(np.array(true, dtype=float), np.array([each.patient for each in group])))


def over(values: np.ndarray, whose: np.ndarray) -> Interval:
    """The mean over patients."""
    return mean_interval(values, whose, REPLICATES, 0)


def main() -> None:
    """Print what was found as JSON, and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=2000, help="who train (default: 2000)")
    parser.add_argument("--seeds", type=int, default=2, help="training seeds (default: 2)")
    parser.add_argument("--judged", type=int, default=1000, help="who are explained (default: 1000)")
    parser.add_argument("--cache", type=Path, help="folder in which trained models are kept")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    asked = parser.parse_args()
    found = {
        "command": " ".join(["python -m benchmarks.explained_truth", *sys.argv[1:]]),
        **judge(asked.patients, asked.seeds, asked.judged, asked.cache),
    }
    text = json.dumps(found, indent=1)
    print(text)
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
