"""What notes say: findings that carry hazard, in several wordings each, and sentences that carry none."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.simulate.standard import unit_weights


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a note may state.

    Attributes:
        name: What it is.
        prevalence: Share of patients in whom it holds at the index.
        stated: Wordings that affirm it.
        negated: Wordings that deny it, which carry no hazard.
    """

    name: str
    prevalence: float
    stated: tuple[str, ...]
    negated: tuple[str, ...]


FINDINGS = (
    Finding(
        "weight loss",
        0.35,
        (
            "Unintended weight loss of several kilograms since the last visit.",
            "The patient has lost weight again.",
            "Body weight is falling and clothes have become loose.",
            "Marked weight loss over the past months.",
            "Further loss of weight despite supplements.",
        ),
        (
            "No weight loss.",
            "The patient denies any loss of weight.",
            "There is no unintended weight loss.",
        ),
    ),
    Finding(
        "dyspnoea",
        0.40,
        (
            "Shortness of breath on climbing one flight of stairs has increased.",
            "Shortness of breath is getting worse.",
            "Worsening dyspnoea on exertion.",
            "The patient now has to stop for breath after a short walk.",
            "Increasing dyspnoea since last month.",
        ),
        (
            "No shortness of breath.",
            "Denies dyspnoea on exertion.",
            "There is no worsening shortness of breath.",
        ),
    ),
    Finding(
        "haemoptysis",
        0.30,
        (
            "Coughed up blood twice this week.",
            "Blood in the sputum on several mornings.",
            "Reports haemoptysis with fresh blood.",
            "Episodes of coughing blood have recurred.",
            "Fresh blood in the sputum was noted.",
        ),
        (
            "No haemoptysis.",
            "Denies coughing up blood.",
            "There is no blood in the sputum.",
        ),
    ),
    Finding(
        "fatigue",
        0.40,
        (
            "Severe fatigue, spends more than half of the day in bed.",
            "Severe fatigue limits daily activities.",
            "Needs help with washing and dressing because of fatigue.",
            "Performance status has declined and fatigue is marked.",
            "Too exhausted to leave the house.",
        ),
        (
            "No severe fatigue.",
            "Denies fatigue.",
            "Performance status has not declined.",
        ),
    ),
    Finding(
        "good condition",
        0.40,
        (
            "Walks several kilometres a day with good exercise tolerance.",
            "Exercise tolerance has improved.",
            "General condition is good, back to gardening and cycling.",
            "Feels stronger and more active than before.",
            "General condition has improved clearly.",
        ),
        (
            "Exercise tolerance has not improved.",
            "General condition is not good.",
            "Denies feeling stronger or more active.",
        ),
    ),
)

ARM_FINDING = "haemoptysis"
"""The finding by which the dial `arm_by_text` modifies the effect of the arm."""

TEXT_WEIGHTS = {
    "progression": unit_weights(
        {"weight loss": 0.50, "dyspnoea": 0.45, "haemoptysis": 0.45, "fatigue": 0.35, "good condition": -0.45}
    ),
    "death": unit_weights(
        {"weight loss": 0.45, "dyspnoea": 0.30, "haemoptysis": 0.25, "fatigue": 0.60, "good condition": -0.45}
    ),
}

NEUTRAL_HISTORY = (
    "Attends the clinic with a relative.",
    "Lives with family and manages the household.",
    "Stopped smoking many years ago.",
    "Appetite is as usual.",
    "Sleeps through most nights.",
    "The vaccination record was updated.",
    "Takes the usual tablets in the morning.",
    "Travelled by train to the appointment.",
    "Asks about the results of the blood tests.",
)
NEUTRAL_EXAMINATION = (
    "Alert and oriented.",
    "Heart sounds are regular.",
    "The abdomen is soft and not tender.",
    "Blood pressure was measured sitting and is acceptable.",
    "Skin is warm and dry.",
    "Peripheral pulses are palpable.",
    "Both calves are soft.",
)
NEUTRAL_PLAN = (
    "Blood tests were drawn today.",
    "Next appointment as scheduled.",
    "The findings were discussed with the patient.",
    "Diet advice was given.",
    "Current medication is continued.",
    "A letter goes to the family doctor.",
)
COPIED_HEADING = "Copied forward from earlier note:"
