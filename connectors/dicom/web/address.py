"""The address of a DICOMweb archive: one origin, one root, and which of its studies are asked for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from prognosis.errors import SourceError

MATCHED = frozenset({"StudyDate", "ModalitiesInStudy"})
"""What of a study may be asked for in the address. None of it tells who a patient is."""

EXAMPLE = "write dicomweb:https://HOST[:PORT]/PATH"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an archive is.

    Attributes:
        root: scheme://host[:port]/path, without a slash at its end.
        matching: Names and values that studies must match (PS3.18 section 8.3.4).
        confidential: Whether what is sent cannot be read on the way: over TLS, or not leaving this machine.
    """

    root: str
    matching: tuple[tuple[str, str], ...]
    confidential: bool


def address_of(place: str) -> Address:
    """The address that a user wrote.

    Raises:
        SourceError: It is no http or https address, holds a user's name or a fragment, or asks for something
            other than `MATCHED`. The message does not repeat the address: a password may be in it.
    """
    reference = "the address of a DICOMweb archive"
    try:
        parts = urlsplit(place)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SourceError(reference, "is not valid", EXAMPLE) from error
    if parts.scheme not in {"http", "https"} or not host or not place.isascii() or not place.isprintable():
        raise SourceError(reference, "is no http or https address", EXAMPLE)
    if "@" in parts.netloc:
        raise SourceError(reference, "holds a user's name", "give a token instead, see docs/connect-pacs.md")
    if parts.fragment:
        raise SourceError(reference, "holds a fragment (#)", EXAMPLE)
    matching = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if {name for name, _ in matching} - MATCHED:
        raise SourceError(
            reference,
            "asks for what studies are not chosen by",
            f"after the question mark name {', '.join(sorted(MATCHED))} only",
        )
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
    return Address(origin + parts.path.rstrip("/"), matching, parts.scheme == "https" or _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
