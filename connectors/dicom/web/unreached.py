"""What went wrong with a connection to an archive, as far as the failure tells, and what would mend it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure in words.

    Attributes:
        problem: What happened, to be followed by how often.
        remedy: What would be right.
    """

    problem: str
    remedy: str


_AGAIN = "see that the archive runs, then try again"
_KNOWN = (
    (
        ssl.SSLCertVerificationError,
        "could not be reached, its certificate is not trusted here,",
        "name the file of your own CA in SSL_CERT_FILE, or the host as its certificate has it",
    ),
    (
        ssl.SSLError,
        "could not be reached, it does not speak https there,",
        "check scheme and port of the address",
    ),
    (socket.gaierror, "could not be reached, no machine of this name is found,", "check the address"),
    (
        ConnectionRefusedError,
        "could not be reached, nothing listens there,",
        "check the port, and that the archive runs",
    ),
)


def failure_of(error: BaseException) -> Failure:
    """What a failure was, by what lies at its root; the certificate before all else."""
    causes = _causes(error)
    for kind, problem, remedy in _KNOWN:
        if any(isinstance(each, kind) for each in causes):
            return Failure(problem, remedy)
    if isinstance(error, httpx.ConnectTimeout):
        return Failure("could not be reached, no connection came about in time,", "check the way to it")
    if isinstance(error, httpx.TimeoutException):
        return Failure(f"was silent for too long ({type(error).__name__})", _AGAIN)
    if isinstance(error, httpx.ConnectError):
        return Failure(
            f"could not be reached ({type(error).__name__})", "check the address, and the way to it"
        )
    return Failure(f"broke off ({type(error).__name__})", _AGAIN)


def _causes(error: BaseException) -> list[BaseException]:
    """The failure and what led to it, each once; where several addresses were tried it is a group."""
    found: list[BaseException] = []
    left = [error]
    while left:
        each = left.pop()
        if each in found:
            continue
        found.append(each)
        left += [cause for cause in (each.__cause__, each.__context__) if cause is not None]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
    return found
