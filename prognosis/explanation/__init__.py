"""One exact explanation across laboratory values, words and pixels."""

from prognosis.explanation.case import AskedScale, case_tokens, explain_case, explain_tokens
from prognosis.explanation.change import EvidenceChange, WhatChanged, what_changed
from prognosis.explanation.difference import DifferenceTerm, ExplanationDifference, difference
from prognosis.explanation.explanation import Attribution, Explanation, GroupValue

__all__ = [
    "AskedScale",
    "Attribution",
    "DifferenceTerm",
    "EvidenceChange",
    "Explanation",
    "ExplanationDifference",
    "GroupValue",
    "WhatChanged",
    "case_tokens",
    "difference",
    "explain_case",
    "explain_tokens",
    "what_changed",
]
