"""`prognosis risk` where everything that is slow was kept: the same answer, without the slow packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from prognosis.errors import InputError
from prognosis.evidence.array_cache import ArrayCache
from tests.cli.program import Program
from tests.simulated import Simulated

SLOW = (
    "torch",
    "monai",
    "shap",
    "xgboost",
    "numba",
    "pandas",
    "sklearn",
    "transformers",
    "scipy.stats",
    "openvino",
)
PROGRAM = (
    "import json, sys\nfrom prognosis.cli.main import run\n"
    "try:\n    run()\nfinally:\n    sys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))\n"
)


def asked(small: Simulated, *more: object) -> list[str]:
    sources = [word for uri in small.uris for word in ("--source", uri)]
    patient = small.complete[0].record.patient_id
    return ["risk", patient, "--model", str(small.model_folder), *sources, "--json", *map(str, more)]


def test_a_warm_answer_is_the_cold_one_and_imports_nothing_slow(
    prognosis: Program, small: Simulated, tmp_path: Path
) -> None:
    without = prognosis(*asked(small)).out
    cold = prognosis(*asked(small, "--cache", tmp_path / "cache")).out
    command = [sys.executable, "-c", PROGRAM, *asked(small, "--cache", tmp_path / "cache")]
    warm = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
    assert warm.stdout == cold == without
    imported = json.loads(warm.stderr.splitlines()[-1])
    assert sorted(set(SLOW) & set(imported)) == []


def test_shares_are_kept_by_the_row_the_model_and_nothing_else(tmp_path: Path) -> None:
    row, shares = np.array([1.0, np.nan, -0.5]), np.arange(6.0).reshape(1, 3, 2, 1)
    asked_for = []

    def make() -> np.ndarray:
        asked_for.append(1)
        return shares / 7

    def kept(weights: str, own: np.ndarray) -> np.ndarray:
        return ArrayCache(tmp_path / "cache", "shares", weights, ()).kept(own.tobytes(), shares.shape, make)

    first, again = kept("a", row), kept("a", row.copy())
    assert np.array_equal(first, again)
    assert len(asked_for) == 1
    kept("b", row)
    kept("a", np.nextafter(row, 9))
    assert len(asked_for) == 3


@pytest.mark.parametrize("harm", [lambda body: body[:-8], lambda body: body[:-1] + b"\x01", lambda _: b""])
def test_a_damaged_entry_is_made_again(tmp_path: Path, harm) -> None:
    cache = ArrayCache(tmp_path / "cache", "shares", "weights", ())
    shares = np.ones((1, 2, 1, 1))
    cache.kept(b"read", shares.shape, lambda: shares)
    (path,) = (each for each in (tmp_path / "cache" / "shares").rglob("*") if each.is_file())
    path.write_bytes(harm(path.read_bytes()))
    assert np.array_equal(cache.kept(b"read", shares.shape, lambda: shares), shares)
    assert cache.found == 0


def test_a_cache_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(InputError, match="may be written by others"):
        ArrayCache(folder, "shares", "weights", ())
