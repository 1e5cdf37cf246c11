"""How one patient's answer moved between two dates, and which evidence moved it.

    eta = base + a_S + c_S * g(tokens), and g is of degree two with products between modalities only

Between two dates a token's evidence goes from (w, z) to (w', z'), where absent is zero. The move of g is the
sum over tokens of (w' - w) + (z' - z)' sum_n W_mn (z_n + z_n') / 2: the Shapley value of each token's move,
so that a token that did not move has none. The recalibration of the observed subset is a player of its own,
beside all of the evidence: (a' - a) + (c' - c) (g + g') / 2, and the tokens' moves count with (c + c') / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import InputError
from prognosis.evidence import Token
from prognosis.explanation.case import cause_of
from prognosis.explanation.game import token_game
from prognosis.explanation.tokens import CaseTokens, case_tokens
from prognosis.fusion import FusionModel
from prognosis.prediction.predictor import case_of
from prognosis.record import PatientRecord

Array = NDArray[np.float64]
Kind = Literal["new", "changed", "aged", "gone"]
Key = tuple[str, str, int]

_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class EvidenceChange:
    """What one piece of evidence moved the answer by.

    Attributes:
        kind: "new": not there at the first date; "changed": another value, film or fact speaks of it now;
            "aged": the same, which counts differently with time; "gone": it no longer counts.
        modality: "clinical", "text" or "imaging".
        name: As in an explanation.
        before: Its detail at the first date, "" where it was not there.
        after: Its detail at the second, "" where it is gone.
        source: What to cite: the second date's source, or the first's where it is gone.
        time: ISO 8601 time at which that was known.
        contribution: To the move; positive raises the risk.
    """

    kind: Kind
    modality: str
    name: str
    before: str
    after: str
    source: str
    time: str
    contribution: float


@dataclass(frozen=True, slots=True)
class WhatChanged:
    """The move of one cause's log-hazard (log-odds) between two dates: recalibration + sum of changes.

    Attributes:
        cause: Whose.
        since: The first date, ISO 8601.
        at: The second.
        before: The log-hazard at the first date, averaged over the time bins.
        after: At the second.
        recalibration: The part owed to another subset of modalities being observed; 0 where it is the same.
        changes: Every piece of evidence that moved the answer, largest magnitude first.
        unchanged: How many pieces of evidence did not.
        max_additivity_error: |recalibration + sum - (after - before)|.
        model_id: Which model.
    """

    cause: str
    since: str
    at: str
    before: float
    after: float
    recalibration: float
    changes: tuple[EvidenceChange, ...]
    unchanged: int
    max_additivity_error: float
    model_id: str

    def by_kind(self) -> dict[str, float]:
        """The sum of contributions of new, changed, aged and gone evidence."""
        kinds: tuple[Kind, ...] = ("new", "changed", "aged", "gone")
        return {kind: sum(c.contribution for c in self.changes if c.kind == kind) for kind in kinds}


def what_changed(
    model: FusionModel,
    record: PatientRecord,
    since: datetime,
    at: datetime | None = None,
    cause: str | None = None,
) -> WhatChanged:
    """Attribute the move of a patient's log-hazard between two dates to the evidence that moved.

    Args:
        model: The model.
        record: The patient's record; anything known after `at` is not read.
        since: The first date.
        at: The second; the record's last fact by default.
        cause: Which cause; the task's first by default.

    Raises:
        InputError: The cause is unknown, a time names no time zone, or `since` is not before `at`.
    """
    first, second = (case_tokens(model, case_of(record, time)) for time in (since, at))
    return change_between(model, first, second, cause)


def change_between(
    model: FusionModel, first: CaseTokens, second: CaseTokens, cause: str | None = None
) -> WhatChanged:
    """The same of tokens that are there; no encoder is run.

    Raises:
        InputError: The cause is unknown, or the first date is not before the second.
    """
    name, which = cause_of(model, cause)
    if first.index_time >= second.index_time:
        raise InputError(
            f"since {first.index_time.isoformat()}",
            f"is not before {second.index_time.isoformat()}",
            "give an earlier date, or a later index time",
        )
    head, subsets = model.head, [first.subset, second.subset]
    moves, sums, matched = _moves(model, first, second, which)
    scales, shifts = head.scale[subsets, which], head.shift[subsets, which].mean(axis=1)
    recalibration = float(shifts[1] - shifts[0] + (scales[1] - scales[0]) * np.mean(sums))
    contributions = float(scales.mean()) * moves
    before, after = (float(head.log_hazard(each.inputs)[0, which].mean()) for each in (first, second))
    changes = [
        _change(old, new, float(value))
        for (old, new), value in zip(matched, contributions, strict=True)
        if abs(value) > _NOTHING
    ]
    return WhatChanged(
        cause=name,
        since=first.index_time.isoformat(),
        at=second.index_time.isoformat(),
        before=before,
        after=after,
        recalibration=recalibration,
        changes=tuple(sorted(changes, key=lambda change: -abs(change.contribution))),
        unchanged=len(matched) - len(changes),
        max_additivity_error=abs(recalibration + float(contributions.sum()) - (after - before)),
        model_id=model.model_id,
    )


def _moves(
    model: FusionModel, first: CaseTokens, second: CaseTokens, which: int
) -> tuple[Array, tuple[float, float], list[tuple[Token | None, Token | None]]]:
    """Each matched token's move of g, g at both dates, and the tokens; before any recalibration."""
    games = [token_game(model.head, each.tokens, each.game.modality, None) for each in (first, second)]
    places = [_places(each.tokens) for each in (first, second)]
    directions = [game.apart.sum(axis=0) for game in games]
    coupling = games[0].coupling()[which]
    pull = coupling @ (0.5 * (directions[0] + directions[1]))
    sums = []
    for game, own in zip(games, directions, strict=True):
        joint = 0.5 * float(own @ coupling @ own)
        sums.append(float(game.main[:, which].mean(axis=1).sum()) + joint)
    moves, matched = [], []
    for key in dict.fromkeys([*places[1], *places[0]]):
        here = [own.get(key) for own in places]
        main, along = 0.0, np.zeros(len(pull))
        for sign, game, row in zip((-1.0, 1.0), games, here, strict=True):
            if row is not None:
                main += sign * float(game.main[row, which].mean())
                along += sign * game.apart[row]
        moves.append(main + float(along @ pull))
        old, new = here
        matched.append(
            (None if old is None else first.tokens[old], None if new is None else second.tokens[new])
        )
    return np.array(moves), (sums[0], sums[1]), matched


def _places(tokens: tuple[Token, ...]) -> dict[Key, int]:
    """Modality, subject and its how-manieth token, to the token's place."""
    places: dict[Key, int] = {}
    for place, token in enumerate(tokens):
        subject, number = token.subject or token.name, 0
        while (token.modality, subject, number) in places:
            number += 1
        places[token.modality, subject, number] = place
    return places


def _change(old: Token | None, new: Token | None, contribution: float) -> EvidenceChange:
    told = new if new is not None and (new.source or old is None or not old.source) else old
    if told is None:
        message = "a change has a token at one of the dates"
        raise ValueError(message)
    return EvidenceChange(
        kind=_kind(old, new),
        modality=told.modality,
        name=told.name,
        before="" if old is None else old.detail,
        after="" if new is None else new.detail,
        source=told.source,
        time=told.time,
        contribution=contribution,
    )


def _kind(old: Token | None, new: Token | None) -> Kind:
    """A fact that was not measured has a token without a source: measuring it is new."""
    was, is_ = old is not None and bool(old.source), new is not None and bool(new.source)
    if old is None or (is_ and not was):
        return "new"
    if new is None or (was and not is_):
        return "gone"
    return "aged" if (old.source, old.detail) == (new.source, new.detail) else "changed"
