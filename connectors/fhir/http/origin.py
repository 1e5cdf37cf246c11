"""Which addresses a client may ask: those of the server's own scheme, host and port, and those beside it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from prognosis.errors import SourceError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reached:
    """An address that may be asked.

    Attributes:
        url: The address.
        own: Whether it is of the server's own origin: only there may the server's token go.
    """

    url: httpx.URL
    own: bool


class Origin:
    """The server's base address, and the guard that every later address passes.

    A FHIR server names the next page itself, so whoever can write into its answers could send this client,
    and its token, anywhere. An address is therefore used only where scheme, host and port (RFC 6454, section
    4) are those of the base; its path and query are opaque and stay as the server wrote them.

    Args:
        base: The address of the FHIR service, e.g. "https://fhir.example.org/r4".
        also: Addresses whose origins the user trusts beside it, for what need not lie on the server itself:
            its token endpoint, the files of an export.

    Raises:
        SourceError: One is no http(s) address, carries credentials, a query or a fragment, or is plain http
            to another machine.
    """

    def __init__(self, base: str, *, also: Iterable[str] = ()) -> None:
        try:
            url = httpx.URL(base)
            host = url.host
        except (httpx.InvalidURL, ValueError) as error:  # of a host that is written as no name can be
            raise SourceError("fhir-server", "its address is no URL", _EXAMPLE) from error
        if url.scheme not in _PORTS or not host:
            raise SourceError("fhir-server", "its address is no http(s) URL", _EXAMPLE)
        self.name = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if url.userinfo or url.query or url.fragment:
            problem = "its address carries a name, a password, a query or a fragment"
            raise SourceError(self.name, problem, f"{_EXAMPLE}; a token is given apart from the address")
        if url.scheme == "http" and not _is_loopback(host):
            problem = "is plain http to another machine, where anyone between reads what patients have"
            raise SourceError(self.name, problem, "name an https address")
        self.base = url.copy_with(path=url.path.rstrip("/") + "/")
        beside = [Origin(each) for each in also]
        self.encrypted: bool = url.scheme == "https" or any(each.encrypted for each in beside)
        self._beside = frozenset(_identity(each.base) for each in beside)

    def resolved(self, link: str) -> httpx.URL:
        """The absolute address of a link, relative ones taken from the base of the service.

        Raises:
            SourceError: It leads to another scheme, host or port, or carries credentials.
        """
        reached = self.reached(link)
        if not reached.own:
            raise self._foreign()
        return reached.url

    def reached(self, link: str) -> Reached:
        """The same for a link that may also lead to an origin that the user named beside the server's.

        Raises:
            SourceError: It leads to another scheme, host or port than any of these, or carries credentials.
        """
        try:
            url = self.base.join(link)
        except httpx.InvalidURL as error:
            raise SourceError(self.name, "gives a link that is no URL", "mend the server's paging") from error
        own = _identity(url) == _identity(self.base)
        if url.userinfo or not (own or _identity(url) in self._beside):
            raise self._foreign()
        return Reached(url, own)

    def _foreign(self) -> SourceError:
        return SourceError(
            self.name,
            "gives a link to another scheme, host or port, which is not followed",
            "set the server's external base address to the one that is named here",
        )


_EXAMPLE = "write it as https://fhir.example.org/r4"


def _identity(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or _PORTS.get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
