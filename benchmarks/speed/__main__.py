"""`python -m benchmarks.speed SUITE... [--quick] [--threads N] [--out FOLDER]`."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path

# Each is a module of this folder with `comparisons(*, quick: bool, threads: int) -> Iterable[Comparison]`,
# and `PACKAGES`, the distributions whose versions its numbers depend on.
SUITES = (
    *("concordance", "bootstrap", "brier", "windows", "tree_shap"),
    *("resampling", "dicom_series", "multipart", "cached_study"),
    *("encoding", "segmentation", "explanation", "ingest", "treatment"),
)
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


def main() -> None:
    """Run the suites that were asked for, print their tables, write their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("suites", nargs="+", choices=SUITES)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size or less: does it run?")
    parser.add_argument("--threads", type=int, default=1, help="threads for everybody (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("runs/speed"), help="folder for the JSON")
    asked = parser.parse_args()
    for variable in THREAD_VARIABLES:  # read when the packages are first imported, so before the suites are
        os.environ[variable] = str(asked.threads)
    results = import_module("benchmarks.speed.results")
    for name in asked.suites:
        suite = import_module(f"benchmarks.speed.{name}")
        made = tuple(suite.comparisons(quick=asked.quick, threads=asked.threads))
        print(results.table(made), flush=True)
        results.write(asked.out / f"{name}.json", made, suite.PACKAGES, asked.threads)


if __name__ == "__main__":
    main()
