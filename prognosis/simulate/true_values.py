"""True Shapley values of the planted log-hazard, by what it was planted in.

The planted log-hazard of a cause is a sum over pieces of a record, one product of C reactive protein with
the burden of lesions, which is a sum over zones, and those of the arm with C reactive protein, with the
burden and with one finding. Let a coalition
be the pieces that are known, each of the others standing at the population's mean: 0 for every standard
variable, one half for the arm. Then v is multilinear of degree two and the Shapley value of a piece is its
own term and half of its products' (Shapley 1953; the same argument as for the model's closed form):

    crp      w c + 1/2 i c sum_z b_z + 1/2 m c (t + 1/2)
    zone z   own_z + 1/2 i c b_z
    zone z   also 1/2 m_i b_z (t + 1/2), and the arm's finding f also 1/2 m_f f (t + 1/2)
    arm      (e + 1/2 (m c + m_i sum_z b_z + m_f f)) (t - 1/2)

with c C reactive protein, b_z the zone's share of the burden, t = 1 for the intensified arm, and i, e, m,
m_i and m_f the dials `interaction`, `arm_effect`, `arm_modifier`, `arm_by_imaging` and `arm_by_text`. A
modality that the record does not hold is not in the game, so the values add up to the OBSERVED oracle's
log-hazard less that of the mean patient.

Pieces are taken from the population's means one by one, as if independent (interventional values). That is
how the generator draws them but for the arm when it is confounded, and for a zone's growth and burden, which
are one piece. Values are of what was planted, not of how well a result or a film shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prognosis.simulate.clinical import PLANTED_QUANTITIES, ClinicalDraw
from prognosis.simulate.dials import Dials
from prognosis.simulate.film import ZONES
from prognosis.simulate.lesions import LesionHazard
from prognosis.simulate.notes import TextDraw
from prognosis.simulate.sentences import ARM_FINDING, FINDINGS
from prognosis.simulate.standard import CAUSES, Vector, cause_scale

ARM = "arm"
MEAN_TREATED = 0.5
PIECES: tuple[tuple[str, str], ...] = (
    *(("clinical", name) for name in (*PLANTED_QUANTITIES, ARM)),
    *(("text", finding.name) for finding in FINDINGS),
    *(("imaging", zone) for zone in ZONES),
)
"""(modality, name) of each piece that the log-hazard is planted in, in the order of the values."""


@dataclass(frozen=True, slots=True)
class TrueValues:
    """Exact Shapley values of the observed oracle's log-hazard; see the module for the game.

    Attributes:
        base: Cause to the log-hazard of a patient all of whose pieces are at the population's mean.
        values: Cause to (n, pieces of `PIECES`) log-hazard; 0 for pieces of an absent modality.
    """

    base: Mapping[str, float]
    values: Mapping[str, Vector]

    def of(self, cause: str, modality: str, name: str) -> Vector:
        """(n,) the values of one piece."""
        return np.asarray(self.values[cause][:, PIECES.index((modality, name))])

    def log_hazard(self, cause: str = "progression") -> Vector:
        """(n,) base and values together: the observed oracle's log-hazard."""
        return np.asarray(self.base[cause] + self.values[cause].sum(axis=1))


def true_values(
    dials: Dials,
    clinical: ClinicalDraw,
    text: TextDraw,
    lesions: LesionHazard,
    given: Mapping[str, Vector],
) -> TrueValues:
    """The values of n patients.

    Args:
        dials: Strengths.
        clinical: Planted quantities.
        text: Findings.
        lesions: Lesions' log-hazard by zone.
        given: "treated", "text" and "imaging": (n,) 1 where the intensified arm was given, where the record
            holds notes, and where it holds films.
    """
    crp = clinical.planted["crp"]
    base, values = {}, {}
    for cause in CAUSES:
        scale = cause_scale(cause, dials)
        from_values = clinical.contributions(cause)
        product = 0.5 * dials.interaction * crp[:, None] * lesions.burden * given["imaging"][:, None]
        columns: dict[tuple[str, str], Vector] = {
            ("clinical", name): dials.clinical_signal * own for name, own in from_values.items()
        }
        columns["clinical", "crp"] = (
            columns["clinical", "crp"]
            + product.sum(axis=1)
            + 0.5 * dials.arm_modifier * crp * (given["treated"] + MEAN_TREATED)
        )
        in_films = dials.arm_by_imaging * lesions.burden * given["imaging"][:, None]
        in_notes = dials.arm_by_text * text.standard(ARM_FINDING) * given["text"]
        modified = dials.arm_effect + 0.5 * dials.arm_modifier * crp
        modified = modified + 0.5 * (in_films.sum(axis=1) + in_notes)
        columns["clinical", ARM] = modified * (given["treated"] - MEAN_TREATED)
        for name, own in text.contributions(cause).items():
            columns["text", name] = dials.text_signal * own * given["text"]
        twice = 0.5 * (given["treated"] + MEAN_TREATED)
        columns["text", ARM_FINDING] = columns["text", ARM_FINDING] + twice * in_notes
        zones = dials.imaging_signal * lesions.by_zone[cause] * given["imaging"][:, None] + product
        zones = zones + twice[:, None] * in_films
        columns |= {("imaging", zone): zones[:, place] for place, zone in enumerate(ZONES)}
        nothing = np.zeros_like(crp)
        values[cause] = scale * np.stack([columns.get(piece, nothing) for piece in PIECES], axis=1)
        base[cause] = scale * dials.arm_effect * MEAN_TREATED
    return TrueValues(base, values)
