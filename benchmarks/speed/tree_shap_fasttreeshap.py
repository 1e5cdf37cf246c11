"""fasttreeshap beside ours, in an interpreter of its own.

Its last release, 0.1.6, does not compile against numpy 2, so it needs an environment with an older numpy:

    python -m venv OTHER
    OTHER/bin/pip install "numpy<2" "numba<0.61" "scipy<1.14" "scikit-learn<1.6" "pandas<2.3" "shap<0.43" \
        "cython<3" setuptools wheel
    OTHER/bin/pip install --no-build-isolation --no-deps --no-binary fasttreeshap fasttreeshap

FASTTREESHAP_PYTHON then names its interpreter, which runs this file: FOLDER THREADS REPEATS. The folder holds
the trees and the cases; seconds and values are left there.

Its algorithm v2, the fastest, does not read missing values (it is off by the size of the values themselves),
so v2 gets the same cases with every missing value filled in, and v1 the cases as they are.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def plain_trees(trees: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """XGBoost's trees as the dictionary that shap and fasttreeshap take for a model of one's own.

    They send x <= bound to the left where XGBoost sends x < bound, so each bound is the next smaller number.
    """
    plain = []
    for tree in trees:
        bound = np.asarray(tree["split_conditions"], dtype=np.float32)
        left = np.asarray(tree["left_children"], dtype=np.int32)
        right = np.asarray(tree["right_children"], dtype=np.int32)
        leaf = left < 0
        plain.append(
            {
                "children_left": left,
                "children_right": right,
                "children_default": np.where(np.asarray(tree["default_left"], dtype=bool), left, right),
                "features": np.where(leaf, -2, np.asarray(tree["split_indices"])).astype(np.int32),
                "thresholds": np.nextafter(bound, np.float32(-np.inf)).astype(float),
                "values": np.where(leaf, bound, 0.0).astype(float)[:, None],
                "node_sample_weight": np.asarray(tree["sum_hessian"], dtype=float),
            }
        )
    return {"trees": plain}


def main() -> None:
    """Time shap_values of the algorithms v1 and v2; building the explainer does not count."""
    import fasttreeshap

    folder, threads, repeats = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    trees = plain_trees(json.loads((folder / "trees.json").read_text()))
    seconds: dict[str, list[float]] = {"v1": [], "v2": []}
    for _ in range(repeats):
        for algorithm, own in seconds.items():
            explainer = fasttreeshap.TreeExplainer(trees, algorithm=algorithm, n_jobs=threads)
            if explainer.algorithm != algorithm:
                raise SystemExit(f"fasttreeshap chose {explainer.algorithm} instead of {algorithm}")
            raw = np.load(folder / f"{algorithm}_cases.npy")
            started = time.process_time()
            values = explainer.shap_values(raw, check_additivity=False)
            own.append(time.process_time() - started)
            np.save(folder / f"{algorithm}_values.npy", values)
    versions = f"fasttreeshap {fasttreeshap.__version__} with numpy {np.__version__}"
    (folder / "found.json").write_text(json.dumps({"seconds": seconds, "versions": versions}))


if __name__ == "__main__":
    main()
