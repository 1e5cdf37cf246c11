"""Cohorts whose true hazard is known: a test of correctness, and never clinical evidence."""

from prognosis.simulate.dials import Dials
from prognosis.simulate.generate import SimulatedCohort, simulate_cohort
from prognosis.simulate.oracle import Oracle, OracleConcordance, PlantedCause, oracle_concordance
from prognosis.simulate.oracle_files import read_oracle, write_oracle
from prognosis.simulate.recovery import planted_cause_of

__all__ = [
    "Dials",
    "Oracle",
    "OracleConcordance",
    "PlantedCause",
    "SimulatedCohort",
    "oracle_concordance",
    "planted_cause_of",
    "read_oracle",
    "simulate_cohort",
    "write_oracle",
]
