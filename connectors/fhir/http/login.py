"""Where access tokens come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Token = Callable[[], str]
"""Gives the access token of the moment; asked before every attempt, so that it can be renewed."""


class Login(Protocol):
    """What a client asks for the token that it sends to the server's own origin."""

    async def token(self) -> str:
        """The token of the moment; asked before every attempt.

        Raises:
            SourceError: None can be had.
        """
        ...

    async def renew(self, refused: str) -> bool:
        """Whether another token is to be had than one that the server has refused with status 401."""
        ...

    def covers(self, kind: str) -> bool:
        """Whether resources of a type may be read with the token, as far as is known before asking."""
        ...


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token that someone else takes care of.

    Attributes:
        give: Gives the token of the moment.
    """

    give: Token

    async def token(self) -> str:
        """What the giver gives."""
        return self.give()

    async def renew(self, refused: str) -> bool:
        """Whether the giver has another one by now."""
        return self.give() != refused

    def covers(self, kind: str) -> bool:
        """True: a token that was given says nothing about itself."""
        return True
