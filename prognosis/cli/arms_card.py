"""What a model's card says of the arms that it compares."""

from __future__ import annotations

from prognosis.cohort import Task
from prognosis.comparison.answer import DAYS, PROBABILITY, RATIO, Number
from prognosis.comparison.words import worth_in_words
from prognosis.fusion.arms import ArmModel
from prognosis.outputs.treatment_words import amount, gain, policy_in_words
from prognosis.treatment import Estimate

_CAME_ABOUT = {
    "randomised": "Arms were drawn by chance.",
    "observational": "Arms were chosen by people, which is allowed for as far as the record holds what they "
    "went by.",
}


def arms_in_words(task: Task, arms: ArmModel) -> tuple[str, ...]:
    """The cohort's numbers by arm and pair, overlap, balance and what is left out; a paragraph each."""
    basis, unit = arms.basis, PROBABILITY if arms.horizon_days is None else DAYS
    counted = worth_in_words(task, arms.event, arms.horizon_days)
    lines = [f"Compares {'; '.join(arms.arms)} by {counted}. {_CAME_ABOUT[arms.treatment.assignment]}"]
    for place, name in enumerate(arms.arms):
        average = amount(_number(basis.average.of(name), unit))
        lines.append(
            f"{name}: {basis.counts[place]:,} cases ({basis.grounds.effective[place]:,.0f} after weighting), "
            f"{average} if all were given it."
        )
    for pair in basis.pairs:
        told = f"{pair.arm} less {pair.reference}, over all: {gain(_number(pair.difference, unit))}"
        if pair.e_value is not None and pair.ratio is not None:
            told += (
                f"; ratio {amount(_number(pair.ratio, RATIO))}, E-value {pair.e_value[0]:.2f}, of the "
                f"interval's nearer end {pair.e_value[1]:.2f}"
            )
        lines.append(f"{told}.")
    lines.append(
        f"Outside the overlap {basis.outside:.0%}; largest difference of a covariate between arms "
        f"{basis.imbalance[0]:.2f} standard deviations, {basis.imbalance[1]:.2f} after weighting."
    )
    lines.append(policy_in_words(_number(basis.policy_gain, unit), basis.best_constant))
    if basis.left_out:
        lines.append(f"Not compared: {'; '.join(f'{why}: {n}' for why, n in basis.left_out.items())}.")
    return tuple(lines)


def _number(found: Estimate, unit: str) -> Number:
    return Number(found.value, found.low, found.high, found.level, unit)
