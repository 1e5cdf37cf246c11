"""Small cohorts whose notes carry the hazard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from prognosis.cohort.case import Case, SurvivalLabel
from prognosis.cohort.target import Target, event_quantile_edges
from prognosis.record import Note, PatientRecord

INDEX = datetime(2020, 3, 2, tzinfo=UTC)
NEUTRAL = ("Alert and oriented.", "Blood tests were drawn.", "Skin is warm.", "Heart sounds are regular.")


def note(text: str, days_before: float = 0.0, name: str = "n1") -> Note:
    return Note(INDEX - timedelta(days=days_before), text, "Progress note", f"DocumentReference/{name}")


def case_of(*notes: Note, name: str = "p") -> Case:
    return Case(PatientRecord(name, notes=notes), INDEX)


def planted_cohort(cases: int = 200, seed: int = 0) -> tuple[list[Case], Target]:
    """An affirmed effusion raises the hazard; a denied one and a copied one do not."""
    rng = np.random.default_rng(seed)
    stated = rng.random(cases) < 0.4
    days = rng.exponential(300.0 * np.exp(-1.6 * stated))
    ends = rng.uniform(50.0, 900.0, cases)
    cause = (days <= ends).astype(np.int64)
    days = np.minimum(days, ends)
    made = []
    for row in range(cases):
        own = [NEUTRAL[place] for place in rng.choice(4, 2, replace=False)]
        if stated[row]:
            own.append("There is a large pleural effusion.")
        elif rng.random() < 0.6:
            own.append("There is no pleural effusion.")
        text = f"Findings: {' '.join(own)}"
        if rng.random() < 0.4:
            text += "\nCopied forward from earlier note: There is a large pleural effusion."
        label = SurvivalLabel("death" if cause[row] else None, float(days[row]))
        made.append(Case(PatientRecord(f"p{row}", notes=(note(text, name=f"n{row}"),)), INDEX, label))
    edges = event_quantile_edges(days, cause > 0, 8)
    return made, Target(("death",), cause, days, edges, survival=True)
