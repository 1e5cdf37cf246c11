"""Which addresses a client may ask: those of the server's own scheme, host and port, and no others."""

from __future__ import annotations

import ipaddress

import httpx

from prognosis.errors import SourceError

_PORTS = {"http": 80, "https": 443}


class Origin:
    """The server's base address, and the guard that every later address passes.

    A FHIR server names the next page itself, so whoever can write into its answers could send this client,
    and its token, anywhere. An address is therefore used only where scheme, host and port (RFC 6454, section
    4) are those of the base; its path and query are opaque and stay as the server wrote them.

    Args:
        base: The address of the FHIR service, e.g. "https://fhir.example.org/r4".

    Raises:
        SourceError: It is no http(s) address, carries credentials, a query or a fragment, or is plain http
            to another machine.
    """

    def __init__(self, base: str) -> None:
        try:
            url = httpx.URL(base)
        except httpx.InvalidURL as error:
            raise SourceError("fhir-server", "its address is no URL", _EXAMPLE) from error
        if url.scheme not in _PORTS or not url.host:
            raise SourceError("fhir-server", "its address is no http(s) URL", _EXAMPLE)
        self.name = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if url.userinfo or url.query or url.fragment:
            problem = "its address carries a name, a password, a query or a fragment"
            raise SourceError(self.name, problem, f"{_EXAMPLE}; a token is given apart from the address")
        if url.scheme == "http" and not _is_loopback(url.host):
            problem = "is plain http to another machine, where anyone between reads what patients have"
            raise SourceError(self.name, problem, "name an https address")
        self.base = url.copy_with(path=url.path.rstrip("/") + "/")
        self.encrypted = url.scheme == "https"

    def resolved(self, link: str) -> httpx.URL:
        """The absolute address of a link, relative ones taken from the base of the service.

        Raises:
            SourceError: It leads to another scheme, host or port, or carries credentials.
        """
        try:
            url = self.base.join(link)
        except httpx.InvalidURL as error:
            raise SourceError(self.name, "gives a link that is no URL", "mend the server's paging") from error
        if _identity(url) != _identity(self.base) or url.userinfo:
            raise SourceError(
                self.name,
                "gives a link to another scheme, host or port, which is not followed",
                "set the server's external base address to the one that is named here",
            )
        return url


_EXAMPLE = "write it as https://fhir.example.org/r4"


def _identity(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
