"""One case explained, exactly on the log-hazard, on the probability by a day to a stated error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case, Task
from prognosis.errors import InputError
from prognosis.evidence import Token
from prognosis.explanation.coalitions import probabilities
from prognosis.explanation.explanation import Attribution, Explanation, GroupValue, Scale, drivers_of
from prognosis.explanation.game import TokenGame
from prognosis.explanation.groups import TokenGroup, group_tokens
from prognosis.explanation.horizon import HorizonProbability
from prognosis.explanation.permutations import GroupGame
from prognosis.explanation.tokens import CaseTokens, case_tokens
from prognosis.fusion import FusionModel

Array = NDArray[np.float64]

LARGEST_ERROR = 0.005
"""Standard error of a value on the probability scale, as a part of |total - base|."""

SMALLEST_ERROR = 1e-5
"""Probability below which no standard error is pressed, however small |total - base| is."""

MOST_PAIRS = 4096
"""Mirrored pairs of permutations a group, after which the standard error reached is stated."""


AskedScale = Literal["log_hazard", "probability"]

EXACT = "Shapley values, exact over every coalition of tokens"
SPLIT = (
    "Owen values: groups of tokens exact over every coalition, "
    "tokens within a group by antithetic permutations"
)


def explain_case(
    model: FusionModel,
    case: Case,
    cause: str | None = None,
    scale: AskedScale = "log_hazard",
    horizon_days: float | None = None,
    seed: int = 0,
) -> Explanation:
    """Explain one case by its evidence tokens: `explain_tokens` of `case_tokens`.

    Raises:
        InputError: The cause is unknown, or the horizon is beyond what was observed in training.
    """
    return explain_tokens(model, case_tokens(model, case), cause, scale, horizon_days, seed)


def explain_tokens(
    model: FusionModel,
    known: CaseTokens,
    cause: str | None = None,
    scale: AskedScale = "log_hazard",
    horizon_days: float | None = None,
    seed: int = 0,
) -> Explanation:
    """Explain one case whose tokens are there; no encoder is run.

    Removing a token means putting the training population's mean in its place, which is also what a
    missing modality means to the model. The recalibration of the observed subset is held fixed on either
    scale: it belongs to what there was to be read, and the base is what the model says of the average patient
    with these modalities.

    Args:
        model: The model.
        known: The case's tokens.
        cause: Which cause; the task's first by default.
        scale: "log_hazard", averaged over the time bins (log-odds of a class or finding, the value of a
            measurement): exact, in closed form. "probability" that the cause has come by `horizon_days`:
            groups of tokens exact by enumeration, tokens within a group by antithetic permutations to a
            standard error of `LARGEST_ERROR`.
        horizon_days: Of the probability; the task's last horizon by default. A class has none.
        seed: Of the permutations.

    Raises:
        InputError: The cause or the scale is unknown, the horizon is beyond what was observed in training, or
            one is given on the log-hazard, which has none.
    """
    name, which = cause_of(model, cause)
    if scale == "probability":
        return _on_probability(model, known, name, which, _horizon(model, horizon_days), seed)
    if scale != "log_hazard" or horizon_days is not None:
        raise InputError(
            f"scale {scale!r} with {horizon_days} days",
            "cannot be explained",
            "ask for log_hazard without a horizon, or for probability",
        )
    return _on_log_hazard(model, known, name, which)


def additive_scale(task: Task) -> Scale:
    """The scale on which evidence adds up, and is explained in closed form."""
    if task.measurement is not None:
        return "log_value" if task.measurement.scale == "log" else "value"
    return "log_hazard" if task.is_survival else "log_odds"


def cause_of(model: FusionModel, cause: str | None) -> tuple[str, int]:
    """The cause asked about, the task's first by default, and its place.

    Raises:
        InputError: The cause is unknown.
    """
    causes = model.task.causes
    name = cause or causes[0]
    if name not in causes:
        raise InputError(
            f"cause {name!r}", "is not predicted by this model", f"ask for one of {', '.join(causes)}"
        )
    return name, causes.index(name)


def attribution(token: Token, contribution: float, interaction: float | None) -> Attribution:
    """A token's share, with all that is cited of the token."""
    return Attribution(
        modality=token.modality,
        name=token.name,
        detail=token.detail,
        source=token.source,
        time=token.time,
        contribution=contribution,
        interaction=interaction,
        subject=token.subject,
        family=token.family,
        topic=token.topic,
        span=token.span,
        age_days=token.age_days,
    )


def _on_log_hazard(model: FusionModel, known: CaseTokens, name: str, which: int) -> Explanation:
    own, joint = (part[:, which] for part in known.game.shares())
    base = float(known.game.base[which].mean())
    total = float(model.head.log_hazard(known.inputs)[0, which].mean())
    told = _told(known.tokens, own + joint, joint)
    return Explanation(
        cause=name,
        base=base,
        total=total,
        attributions=_largest_first(told),
        drivers=drivers_of(told),
        scale=additive_scale(model.task),
        method="Shapley values in closed form, exact for the additive-bilinear model",
        max_additivity_error=abs(base + float((own + joint).sum()) - total),
        standard_error=0.0,
        model_id=model.model_id,
    )


def _on_probability(
    model: FusionModel, known: CaseTokens, name: str, which: int, days: float, seed: int
) -> Explanation:
    answer = HorizonProbability.by(which, days, model.edges, alone=model.task.questions > 1)
    game = known.game.of_bins(answer.bins)
    total = float(model.incidence_of(known.inputs, np.array([days]))[0, which, 0])
    sizes = np.abs(np.sum(known.game.shares(), axis=0)[:, which])
    groups = group_tokens(known.tokens, sizes)
    split = split_probability(game, answer, groups, seed)
    exact = all(len(group.members) == 1 for group in groups)
    told = _told(known.tokens, split.values, None)
    return Explanation(
        cause=name,
        base=split.base,
        total=total,
        attributions=_largest_first(told),
        drivers=drivers_of(told),
        scale="probability",
        method=EXACT if exact else SPLIT,
        max_additivity_error=abs(split.base + float(split.values.sum()) - total),
        standard_error=split.standard_error,
        model_id=model.model_id,
        horizon_days=days if model.task.is_survival else None,
        groups=_groups(groups, split.values),
        coalitions=2 ** len(groups),
        permutations=split.permutations,
    )


@dataclass(frozen=True, slots=True)
class ProbabilitySplit:
    """Values on the scale of probability.

    Attributes:
        base: The probability when no token is known.
        values: (n,) one a token.
        standard_error: The largest of any value.
        permutations: Drawn in all groups.
    """

    base: float
    values: Array
    standard_error: float
    permutations: int


def split_probability(
    game: TokenGame, answer: HorizonProbability, groups: tuple[TokenGroup, ...], seed: int
) -> ProbabilitySplit:
    """Every token's value: groups by enumeration, tokens within a group by antithetic permutations.

    Args:
        game: Of the tokens, up to the answer's bin.
        answer: What is explained.
        groups: Of the tokens, each of one modality.
        seed: Of the permutations.
    """
    if not groups:
        empty = probabilities(game, answer, np.zeros((0, 1)))
        return ProbabilitySplit(float(empty[0]), np.zeros(0), 0.0, 0)
    members = [group.members for group in groups]
    whole = GroupGame.of(game, members, answer)
    worth = whole.worth
    random = np.random.default_rng(seed)
    tolerance = max(LARGEST_ERROR * abs(float(worth[-1] - worth[0])), SMALLEST_ERROR)
    values, worst, permutations = np.zeros(len(game)), 0.0, 0
    for group, own in enumerate(members):
        found = whole.split(group, tolerance, MOST_PAIRS, random)
        values[own] = found.values
        worst = max(worst, float(found.standard_errors.max()))
        permutations += found.permutations
    return ProbabilitySplit(float(worth[0]), values, worst, permutations)


def _horizon(model: FusionModel, days: float | None) -> float:
    """The day asked about; a class is known at once, so its day is the end of its one bin.

    Raises:
        InputError: Nothing was observed by then in training.
    """
    last = float(model.edges[-1])
    if not model.task.is_survival:
        return last
    within = [each for each in model.task.horizons_days if each <= last]
    asked = days if days is not None else max(within, default=last)
    if not 0.0 < asked <= last:
        raise InputError(
            f"{asked:g} days", "lies outside the predicted time", f"ask for more than 0 and at most {last:g}"
        )
    return asked


def _told(tokens: tuple[Token, ...], values: Array, joint: Array | None) -> list[Attribution]:
    """Every token's share, in their order."""
    parts: Sequence[float | None] = [None] * len(tokens) if joint is None else joint.tolist()
    return [attribution(*each) for each in zip(tokens, values.tolist(), parts, strict=True)]


def _largest_first(told: Sequence[Attribution]) -> tuple[Attribution, ...]:
    return tuple(sorted(told, key=lambda each: -abs(each.contribution)))


def _groups(groups: tuple[TokenGroup, ...], values: Array) -> tuple[GroupValue, ...]:
    told = [
        GroupValue(group.modality, group.name, len(group.members), float(values[group.members].sum()))
        for group in groups
    ]
    return tuple(sorted(told, key=lambda group: -abs(group.contribution)))
