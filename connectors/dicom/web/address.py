"""The address of a DICOMweb archive: one origin, one root, and which of its studies are asked for.

Every address that anything is sent to is decided on here: those that a user writes, and those that a record
states for its studies, which are only used at an origin that the user allowed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from prognosis.errors import SourceError

MATCHED = frozenset({"StudyDate", "ModalitiesInStudy"})
"""What of a study may be asked for in the address. None of it tells who a patient is."""

EXAMPLE = "write dicomweb:https://HOST[:PORT]/PATH"
PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
"""A host's name (RFC 1123, and the underscores of local names); no dot at its end."""

NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
"""A last label that some programs read as a number of an address, in whatever base."""

UNSAFE = re.compile(r"[\s\\\x00-\x20\x7f]")
PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*")
"""Of a root; what is percent-encoded could be a slash or a dot to one program and not to another."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an archive is.

    Attributes:
        root: scheme://host[:port]/path, without a slash at its end.
        matching: Names and values that studies must match (PS3.18 section 8.3.4).
        confidential: Whether what is sent cannot be read on the way: over TLS, or not leaving this machine.
        origin: scheme://host:port, the port always stated, by which origins are compared.
    """

    root: str
    matching: tuple[tuple[str, str], ...]
    confidential: bool
    origin: str


def address_of(place: str) -> Address:
    """The address that a user wrote.

    A host is a name or an address in its one canonical form: what a resolver would take for an address in
    another form (0x7f.1, 2130706433, 127.1), or a name with a dot at its end, is refused rather than read.

    Raises:
        SourceError: It is no http or https address, holds a user's name or a fragment, or asks for something
            other than `MATCHED`. The message does not repeat the address: a password may be in it.
    """
    reference = "the address of a DICOMweb archive"
    if not place.isascii() or UNSAFE.search(place):
        raise SourceError(reference, "holds characters that no address holds", EXAMPLE)
    try:
        parts = urlsplit(place)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SourceError(reference, "is not valid", EXAMPLE) from error
    if parts.scheme not in PORTS or not place.lower().startswith(f"{parts.scheme}://") or not host:
        raise SourceError(reference, "is no http or https address", EXAMPLE)
    if "@" in parts.netloc:
        raise SourceError(reference, "holds a user's name", "give a token instead, see docs/connect-pacs.md")
    if "#" in place:
        raise SourceError(reference, "holds a fragment (#)", EXAMPLE)
    shown = _host_shown(host, parts.netloc)
    if not shown or port == 0 or parts.netloc.endswith(":"):
        raise SourceError(reference, "names its host or port in an unusual form", EXAMPLE)
    if not PATH.fullmatch(parts.path) or {".", ".."} & set(parts.path.split("/")):
        raise SourceError(reference, "has a path that is not plain", "write it without % and without dots")
    matching = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if {name for name, _ in matching} - MATCHED:
        raise SourceError(
            reference,
            "asks for what studies are not chosen by",
            f"after the question mark name {', '.join(sorted(MATCHED))} only",
        )
    authority = f"{parts.scheme}://{shown}"
    return Address(
        authority + (f":{port}" if port is not None else "") + parts.path.rstrip("/"),
        matching,
        parts.scheme == "https" or _is_here(host),
        f"{authority}:{PORTS[parts.scheme] if port is None else port}",
    )


def stated_address(place: str, allowed: Collection[Address]) -> Address:
    """An address that a record states, such as an Endpoint's, if it is at an origin that the user allowed.

    Args:
        place: The address, which somebody other than the user wrote.
        allowed: Addresses that the user wrote; their origins count, their paths do not.

    Raises:
        SourceError: It is no usable address, chooses studies, or is at another origin. The message does not
            repeat it.
    """
    address = address_of(place)
    if address.matching:
        raise SourceError("an address that a record states", "chooses studies", "state the archive's root")
    if address.origin not in {each.origin for each in allowed}:
        raise SourceError(
            "an address that a record states",
            "is at an origin that is not allowed",
            "allow the origin, if the archive is yours: --source dicom-endpoint:https://HOST",
        )
    return address


def _host_shown(host: str, netloc: str) -> str:
    """The host as it stands in an address; "" where two programs may read it in two ways."""
    if netloc.startswith("["):
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            return ""
        plain = address.ipv4_mapped is None and address.sixtofour is None and "%" not in host
        return f"[{address.compressed}]" if plain and host == address.compressed else ""
    if NUMERIC.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            return ""
    return host if len(host) <= 253 and NAME.fullmatch(host) else ""


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
