"""One exact explanation across laboratory values, words and pixels."""

from prognosis.explanation.case import AskedScale, case_tokens, explain_case, explain_tokens
from prognosis.explanation.explanation import Attribution, Explanation, GroupValue

__all__ = [
    "AskedScale",
    "Attribution",
    "Explanation",
    "GroupValue",
    "case_tokens",
    "explain_case",
    "explain_tokens",
]
