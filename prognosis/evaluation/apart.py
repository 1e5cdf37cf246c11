"""Cross-validation in a process of its own, so that memory can be measured and a method can be stopped.

Python's own tracing does not see what compiled code allocates. The operating system's record of a process's
largest resident memory does, but never goes down again; so each method gets a fresh process. What is counted
is the largest resident memory less that before the first fit, when the cohort is already there: the libraries
that a method loads count as its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort
from prognosis.errors import CohortError, PrognosisError
from prognosis.evaluation.cross_validation import CrossValidated, cross_validate
from prognosis.evaluation.entrant import Fit
from prognosis.evaluation.held_out import JudgingDays

_UNITS_IN_A_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refusal, as it travels between processes."""

    kind: type[PrognosisError]
    reference: str
    problem: str
    remedy: str


def cross_validate_apart(
    cohort: Cohort, fit: Fit, fold: NDArray[np.int64], judged: JudgingDays, minutes: float = 60.0
) -> CrossValidated:
    """`cross_validate` in a new process, with its peak memory.

    Args:
        cohort: As there.
        fit: As there; it must be importable by name, as functions of a module are.
        fold: As there.
        judged: As there.
        minutes: The process is ended after as long.

    Raises:
        CohortError: The process ended without an answer (its traceback is on stderr), or was stopped.
        PrognosisError: Whatever the method raises.
    """
    # A server process forks them: it never ran anything threaded, so its children may be forked.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "prognosis.evaluation.peer_registry"])
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(writer, cohort, fit, fold, judged), daemon=True)
    process.start()
    writer.close()
    try:
        if not wait([reader, process.sentinel], timeout=60.0 * minutes):
            raise CohortError("method", f"took longer than {minutes:g} minutes", "allow it more `minutes`")
        answer = reader.recv()
    except EOFError as error:
        process.join()
        raise CohortError(
            "method", f"ended with exit status {process.exitcode}", "see its message on stderr"
        ) from error
    finally:
        process.kill()
        process.join()
        reader.close()
    if isinstance(answer, _Refused):
        raise answer.kind(answer.reference, answer.problem, answer.remedy)
    found: CrossValidated = answer
    return found


def _answer(
    writer: Connection, cohort: Cohort, fit: Fit, fold: NDArray[np.int64], judged: JudgingDays
) -> None:
    before = peak_mib()
    try:
        found = cross_validate(cohort, fit, fold, judged)
    except PrognosisError as error:
        writer.send(_Refused(type(error), error.reference, error.problem, error.remedy))
    else:
        writer.send(replace(found, peak_mib=peak_mib() - before))


def peak_mib() -> float:
    """The largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_IN_A_MIB
