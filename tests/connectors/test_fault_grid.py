"""Every fault at every operation ends typed and in time; what was expected is there, or is said not to be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from prognosis.errors import PrognosisError
from tests.connectors.operations import DEADLINE_S, OPERATIONS
from tests.fakes.hostile import FAULTS, LASTING, Way, beset

WHOLE = "all of it"
CUT = ("truncate", "wrong length")
REFUSING = ("429", "500", "503")
CONTENT = ("search", "page", "bulk status", "bulk file")

ONCE = {
    # An answer that is whole by its length and no JSON is the server's fault, and is not asked for again.
    **{(fault, operation): "SourceError" for fault in CUT for operation in CONTENT},
    ("one twice", "bulk status"): "SourceError",
    ("one twice", "bulk file"): "SourceError",
    ("one twice", "WADO"): "StudyError",
}
"""What a fault that passes comes to, where that is not `WHOLE`."""

ALWAYS = {
    **{("duplicate", operation): WHOLE for operation in OPERATIONS},
    **{("one twice", operation): WHOLE for operation in OPERATIONS},
    **{key: outcome for key, outcome in ONCE.items() if key[0] == "one twice"},
    # Of a write it does not matter what was answered: what the server holds afterwards does.
    **{(fault, "write FHIR"): WHOLE for fault in FAULTS if fault not in REFUSING},
    **{(fault, "write FHIR"): "WriteError" for fault in (*REFUSING, "trickle")},
    ("truncate", "write STOW"): WHOLE,
}
"""What a fault that lasts comes to, where that is not a SourceError."""


CELLS = [
    pytest.param(fault, operation, times, id=f"{fault}-{operation}-{'once' if times == 1 else 'always'}")
    for fault in FAULTS
    for operation in OPERATIONS
    for times in (
        [LASTING] if fault == "trickle" else [1, LASTING]
    )  # one trickle takes all the time there is
]


@pytest.mark.parametrize(("fault", "operation", "times"), CELLS)
def test_a_fault_ends_typed_and_in_time_and_loses_nothing_silently(
    fault: str, operation: str, times: int, tmp_path: Path
) -> None:
    meant = ONCE.get((fault, operation), WHOLE)
    if times == LASTING:
        meant = ALWAYS.get((fault, operation), "SourceError")
    asked = OPERATIONS[operation]
    with asked.ready(tmp_path) as (server, act), beset(Way(server, fault, asked.to, times)) as way:
        began = time.monotonic()
        outcome, told = WHOLE, ""
        try:
            came = act(way.port)
        except PrognosisError as error:
            outcome, told = type(error).__name__, str(error)
        seconds = time.monotonic() - began
        assert way.happened
        assert seconds <= DEADLINE_S + 1.0
        assert outcome == meant, told
        assert "anna" not in told
        if outcome != WHOLE:  # what failed can be done when the fault is over, and is then done once
            way.times = 0
            came = act(way.port)
        assert came.received + came.quarantined == came.expected, came
        assert came.received


def test_the_grid_is_complete() -> None:
    assert len(FAULTS) >= 10
    assert {name.split()[0] for name in OPERATIONS} == {"search", "page", "bulk", "QIDO", "WADO", "write"}
    assert ONCE.keys() | ALWAYS.keys() <= {(fault, each) for fault in FAULTS for each in OPERATIONS}
