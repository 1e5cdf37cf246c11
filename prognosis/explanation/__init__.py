"""One exact explanation across laboratory values, words and pixels."""

from prognosis.explanation.case import AskedScale, explain_case, explain_tokens
from prognosis.explanation.change import EvidenceChange, WhatChanged, change_between, what_changed
from prognosis.explanation.cohort import CohortExplanation, explain_cohort
from prognosis.explanation.difference import DifferenceTerm, ExplanationDifference, difference
from prognosis.explanation.explanation import Attribution, Explanation, GroupValue
from prognosis.explanation.tokens import case_tokens, cohort_tokens

__all__ = [
    "AskedScale",
    "Attribution",
    "CohortExplanation",
    "DifferenceTerm",
    "EvidenceChange",
    "Explanation",
    "ExplanationDifference",
    "GroupValue",
    "WhatChanged",
    "case_tokens",
    "change_between",
    "cohort_tokens",
    "difference",
    "explain_case",
    "explain_cohort",
    "explain_tokens",
    "what_changed",
]
