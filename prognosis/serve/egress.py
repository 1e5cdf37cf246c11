"""The service's one way out: a GET of an address that the operator named, at a checked IP address."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prognosis.errors import AccessError, SourceError
from prognosis.serve.settings import LOOPBACK

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER = 2**20
SILENCE_S = 5.0

Resolve = Callable[[str, int], Sequence[str]]
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PLAIN = re.compile(
    r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?\Z"
)
"""An address that two readers cannot read differently: lower case, ASCII, no user, no query."""

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked, and where it was found to be.

    Attributes:
        url: As it was given.
        scheme: "http" or "https".
        host: Its name.
        port: Its port.
        address: The IP address that was checked, and that is asked.
        path: From the first slash on.
    """

    url: str
    scheme: str
    host: str
    port: int
    address: str
    path: str


def resolved(host: str, port: int) -> Sequence[str]:
    """Every IP address of a name, as the operating system finds them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceError(host, "has no address", "check the name") from error
    return [str(each[4][0]) for each in found]


class Egress:
    """Requests to addresses that the settings name, and to no others.

    An address is taken as it stands in the settings, character by character, so nothing that a client sends
    is ever resolved. A name is resolved once; every address it has must be public, unless the operator said
    that the host is the hospital's own; and the one that was checked is the one that is connected to, so that
    a name cannot be another host a moment later. Redirects are refused.

    Args:
        allowed: The addresses.
        private_hosts: Hosts that may be at private addresses; loopback names always may.
        resolve: The IP addresses of a name.
    """

    def __init__(
        self, allowed: Iterable[str], private_hosts: Iterable[str] = (), resolve: Resolve = resolved
    ) -> None:
        self._allowed = frozenset(allowed)
        self._private = frozenset(private_hosts) | LOOPBACK
        self._resolve = resolve

    def checked(self, url: str) -> Target:
        """Where an address leads.

        Raises:
            AccessError: It is not one of those named, or leads to where it must not.
            SourceError: Its name has no address.
        """
        if not isinstance(url, str) or url not in self._allowed or not _PLAIN.match(url):
            raise AccessError("an address", "is not among those that may be asked", "name it in the settings")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = self._resolve(host, port)
        addresses = [_ip(each) for each in found]
        if not addresses or any(each is None for each in addresses):
            raise SourceError(host, "has no address", "check the name")
        if host not in self._private and not all(each is not None and _is_public(each) for each in addresses):
            problem = "leads to a private address"
            raise AccessError(host, problem, "name it under private_hosts if it is the hospital's own")
        return Target(url, parts.scheme, host, port, found[0], parts.path or "/")

    def get(self, url: str) -> bytes:
        """The content at an address, of at most a MiB.

        Raises:
            AccessError: The address may not be asked.
            SourceError: It gives no answer of status 200, or a longer one.
        """
        import httpx

        target = self.checked(url)
        host = f"[{target.address}]" if ":" in target.address else target.address
        context = ssl.create_default_context() if target.scheme == "https" else False
        with httpx.Client(
            timeout=SILENCE_S, follow_redirects=False, trust_env=False, verify=context
        ) as client:
            request = client.build_request(
                "GET",
                f"{target.scheme}://{host}:{target.port}{target.path}",
                headers={"Host": _host_header(target), "Accept": "application/json"},
                extensions={"sni_hostname": target.host},
            )
            try:
                return _content(client.send(request, stream=True), target.host)
            except httpx.HTTPError as error:
                problem = f"gives no answer ({type(error).__name__})"
                raise SourceError(target.host, problem, "check the server and the way to it") from error


def _content(response: httpx.Response, host: str) -> bytes:
    try:
        if response.status_code != 200:
            raise SourceError(host, f"answers with status {response.status_code}", "name its exact address")
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > LARGEST_ANSWER:
                raise SourceError(host, "answers with more than a MiB", "name the address of a JWK Set")
        return bytes(content)
    finally:
        response.close()


def _host_header(target: Target) -> str:
    return target.host if target.port == _PORTS[target.scheme] else f"{target.host}:{target.port}"


def _ip(text: str) -> IpAddress | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _is_public(address: IpAddress) -> bool:
    """Whether an address is of the internet at large; those that carry an IPv4 address inside are not."""
    inside = isinstance(address, ipaddress.IPv6Address) and (
        address.sixtofour is not None or address.teredo is not None or address in _NAT64
    )
    return address.is_global and not address.is_multicast and not inside


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
