"""What to do about a server that could not be reached, as far as the failure tells."""

from __future__ import annotations

import socket
import ssl

_KNOWN = (
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted here: name the file of your own CA in SSL_CERT_FILE",
    ),
    (ssl.SSLError, "the other side does not speak https as it should: check scheme and port of the address"),
    (socket.gaierror, "no machine of this name is found: check the address"),
    (ConnectionRefusedError, "nothing listens there: check the port, and that the server runs"),
)


def remedy_of(error: BaseException) -> str:
    """What mends a failure of the connection, by what lies at its root; the certificate before all else."""
    causes = list(_causes(error))
    for kind, remedy in _KNOWN:
        if any(isinstance(each, kind) for each in causes):
            return remedy
    return "check the server and the way to it"


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
