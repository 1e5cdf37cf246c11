"""One exact explanation across laboratory values, words and pixels."""

from prognosis.explanation.closed_form import explain_case
from prognosis.explanation.explanation import Attribution, Explanation

__all__ = ["Attribution", "Explanation", "explain_case"]
