"""The leakage lint: what in a cohort tells the answer, or is damaged, before any model sees it."""

from prognosis.cohort.lint.causes import causes_never_seen, codes_never_seen
from prognosis.cohort.lint.finding import Finding, Thresholds
from prognosis.cohort.lint.kinds import KINDS, Kind
from prognosis.cohort.lint.rules import lint_cohort

__all__ = ["KINDS", "Finding", "Kind", "Thresholds", "causes_never_seen", "codes_never_seen", "lint_cohort"]
