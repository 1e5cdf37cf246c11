"""Exact Shapley values of a degree-two additive-bilinear log-hazard.

    phi_i = w_i + 1/2 z_i' sum_{n != m(i)} W_mn z_n

A product of two modalities' sums is shared equally between the two, which is its Shapley value; within a
modality tokens only add, so nothing else is shared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.errors import InputError
from prognosis.evidence import Token
from prognosis.explanation.explanation import Attribution, Explanation
from prognosis.fusion import FusionModel
from prognosis.fusion.head import HazardHead, subset_number

Array = NDArray[np.float64]


def explain_case(model: FusionModel, case: Case, cause: str | None = None) -> Explanation:
    """Explain one case's log-hazard, averaged over the time bins, by its evidence tokens.

    Removing a token means putting the training population's mean in its place, which is also what a
    missing modality means to the model. The recalibration of the observed subset is held fixed.

    Args:
        model: The model.
        case: The case, as known at its index.
        cause: Which cause; the task's first by default.

    Raises:
        InputError: The cause is unknown.
    """
    causes = model.task.causes
    name = cause or causes[0]
    if name not in causes:
        raise InputError(
            f"cause {name!r}", "is not predicted by this model", f"ask for one of {', '.join(causes)}"
        )
    which = causes.index(name)
    inputs = model.inputs([case])
    tokens = tuple(
        evidence.tokens(case) if inputs.present[0, place] else ()
        for place, evidence in enumerate(model.evidence.values())
    )
    subset = int(subset_number(inputs.present)[0])
    attributions = [
        _attribution(token, main, joint)
        for token, main, joint in _shapley_values(
            model.head, tokens, which, float(model.head.scale[subset, which])
        )
    ]
    base = float(model.head.alpha[which].mean() + model.head.shift[subset, which])
    total = float(model.head.log_hazard(inputs)[0, which].mean())
    explained = base + sum(attribution.contribution for attribution in attributions)
    return Explanation(
        cause=name,
        base=base,
        total=total,
        attributions=tuple(sorted(attributions, key=lambda a: -abs(a.contribution))),
        scale="log_hazard" if model.task.is_survival else "log_odds",
        method="Shapley values in closed form, exact for the additive-bilinear model",
        max_additivity_error=abs(explained - total),
        standard_error=0.0,
        model_id=model.model_id,
    )


def _shapley_values(
    head: HazardHead, tokens: tuple[tuple[Token, ...], ...], which: int, scale: float
) -> list[tuple[Token, float, float]]:
    """(token, own part, part owed to interactions) for every token."""
    sums = [
        np.sum([token.vector for token in own], axis=0) if own else np.zeros(len(head.factors[place]))
        for place, own in enumerate(tokens)
    ]
    values = []
    for place, own in enumerate(tokens):
        others = [other for other in range(len(tokens)) if other != place]
        pull = sum(
            (head.interaction_matrix(place, other)[which] @ sums[other] for other in others),
            start=np.zeros(len(head.factors[place])),
        )
        for token in own:
            weighted = head.beta[place, which] * token.evidence[which]
            values.append((token, scale * float(weighted.mean()), scale * 0.5 * float(token.vector @ pull)))
    return values


def _attribution(token: Token, main: float, joint: float) -> Attribution:
    return Attribution(
        token.modality, token.name, token.detail, token.source, token.time, main + joint, joint
    )
