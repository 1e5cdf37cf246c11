"""One exact explanation across laboratory values, words and pixels."""

from prognosis.explanation.case import AskedScale, explain_case, explain_tokens
from prognosis.explanation.change import EvidenceChange, WhatChanged, change_between, what_changed
from prognosis.explanation.cohort import CohortExplanation, explain_cohort
from prognosis.explanation.difference import DifferenceTerm, ExplanationDifference, difference
from prognosis.explanation.explanation import Attribution, Driver, Explanation, GroupValue, drivers_of
from prognosis.explanation.tokens import case_tokens, cohort_tokens

__all__ = [
    "AskedScale",
    "Attribution",
    "CohortExplanation",
    "DifferenceTerm",
    "Driver",
    "EvidenceChange",
    "Explanation",
    "ExplanationDifference",
    "GroupValue",
    "WhatChanged",
    "case_tokens",
    "change_between",
    "cohort_tokens",
    "difference",
    "drivers_of",
    "explain_case",
    "explain_cohort",
    "explain_tokens",
    "what_changed",
]
