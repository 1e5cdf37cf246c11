"""What was published of the same trials, as far as it could be read again, and where."""

from __future__ import annotations

MOERTEL_1995 = "Moertel et al., Ann Intern Med 1995;122:321"
CONNORS_1996 = "Connors et al., JAMA 1996;276:889"
MRC_1948 = "Medical Research Council, BMJ 1948;2:769"

# Reductions of the rate against observation: (task, arm) to the ratio that they state, and where. The final
# report of 1995 is of the same 929 patients as the table, with at least five years of follow-up.
HAZARD_RATIOS = {
    ("colon_recurrence_arms", "levamisole and fluorouracil"): (
        0.60,
        f"recurrence less by 40%, {MOERTEL_1995}",
    ),
    ("colon_recurrence_arms", "levamisole"): (0.98, f"recurrence less by 2%, {MOERTEL_1995}"),
    ("colon_arms", "levamisole and fluorouracil"): (0.67, f"deaths less by 33%, {MOERTEL_1995}"),
    ("colon_arms", "levamisole"): (0.94, f"deaths less by 6%, {MOERTEL_1995}"),
}
CONSIDERABLE = {"streptomycin": (28, 55), "bed rest": (4, 52)}
"""Films considerably improved after six months, of those in the arm (Medical Research Council 1948)."""
CATHETER_ODDS = (1.24, 1.03, 1.49)
"""Odds of death within 30 days, case-matched on a propensity score: ratio and 95% interval (Connors 1996)."""
