"""What every test shares: reproducible properties, and the way to data that is not in the repository."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.simulated import Simulated

# Set before anything imports transformers: a test that reaches for the network should fail, not download.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Also set before torch: on tensors as small as these, threads wait for one another longer than they work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The first call into torch takes longer than Hypothesis' 200 ms, and a test that fails must fail again.
settings.register_profile(
    "reproducible", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("reproducible")

# A shell that runs the tests in the background has them ignore interrupts, and all that they start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# What tests/live/install puts there, last on the PATH: each is an environment of its own with its own python.
_LIVE = ROOT / "build" / "live"
os.environ["PATH"] = os.pathsep.join(
    [os.environ.get("PATH", ""), *(str(_LIVE / name / "bin") for name in ("fhir-server", "bulk-client"))]
)
for _variable, _installed in (
    ("PROGNOSIS_TEST_NODE", _LIVE / "node"),
    ("PROGNOSIS_TEST_HEALTHCHAIN", _LIVE / "cds-client" / "bin" / "python"),
):
    if _installed.exists():
        os.environ.setdefault(_variable, str(_installed))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cohorts beside the checkout; a test that needs it is skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real cohorts are not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A small simulated cohort on disk, read back, and a model of it; not to be written to."""
    from tests.simulated import simulated

    return simulated(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="session")
def compared(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """The small cohort with a model that compares two arms; not to be written to."""
    from tests.compared import compared

    return compared(small, tmp_path_factory.mktemp("compared"))
