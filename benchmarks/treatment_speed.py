"""How long one patient's answer by arm takes, with its explanation: processor time on one thread.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.treatment_speed MODEL SOURCE [--patients 50]

The model is on disk, its task states treatment, and the patients are the cohort's own. Films, where there are
any, should have been encoded before (`--cache`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from prognosis.cli.sources import read_records
from prognosis.cohort import build_cohort
from prognosis.comparison.treat import treat_cases
from prognosis.fusion import load_model
from prognosis.record import Quarantine


def main() -> None:
    """Ask about the patients one by one, twice, and print the second round's times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("source", nargs="+")
    parser.add_argument("--patients", type=int, default=50)
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args()
    model = load_model(asked.model, asked.cache)
    records = read_records(asked.source, model.task, Quarantine())
    cases = build_cohort(model.task, records, require_labels=False).cases[: asked.patients]
    taken = []
    for _ in range(2):
        taken = []
        for case in cases:
            started = time.process_time()
            treat_cases(model, [case])
            taken.append(1000.0 * (time.process_time() - started))
    told = {
        "model": model.model_id,
        "arms": len(model.task.arms),
        "patients": len(cases),
        "median_ms": round(statistics.median(taken), 1),
        "slowest_ms": round(max(taken), 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
