"""How a service is set up: who may ask it, which FHIR servers it knows, and how old a score may be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from prognosis.cohort.statement import read_yaml, refusal
from prognosis.errors import ConfigError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _an_address(url: str) -> str:
    """An address as it is compared: https or loopback, without credentials, query, fragment or last slash."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        message = "is no https address"
        raise ValueError(message)
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        message = "is more than scheme, host, port and path"
        raise ValueError(message)
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_an_address)]


class Strict(BaseModel):
    """A part of the settings, which may not be altered and holds no field that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Client(Strict):
    """Who may ask: an issuer of tokens, and where its public keys are.

    Attributes:
        issuer: As it stands in a token's `iss`.
        jku: Where its keys are fetched from; a token that names another place is refused.
        keys: A file with its keys (JWK Set) instead.
        may: "cds" for the CDS Hooks services, "rest" for the rest.
        services: Of CDS Hooks, by id; all where empty.
        fhir_servers: Those whose patients it may ask about over CDS Hooks; the first where it names none.
        tokens: "once" refuses a token that was seen before; "until_expiry" takes it again, as access tokens
            of an authorisation server are. CDS Hooks tokens are taken once, whatever is set.
        longest_seconds: From `iat` to `exp`.
    """

    issuer: str = Field(min_length=1)
    jku: Address | None = None
    keys: Path | None = None
    may: tuple[Literal["cds", "rest"], ...] = ("cds",)
    services: tuple[str, ...] = ()
    fhir_servers: tuple[Address, ...] = ()
    tokens: Literal["once", "until_expiry"] = "once"
    longest_seconds: int = Field(default=300, ge=1, le=86_400)

    @model_validator(mode="after")
    def _has_keys(self) -> Client:
        if (self.jku is None) == (self.keys is None):
            message = "give either jku or keys"
            raise ValueError(message)
        return self


class EhrServer(Strict):
    """A FHIR server that CDS clients may name.

    Attributes:
        base: Its address.
        same_patients: Its patient ids are those of the service's own sources, so that stored scores are of
            its patients. Where False a score is made from what the EHR sends or lets be read.
    """

    base: Address
    same_patients: bool = False


class ServiceSettings(Strict):
    """Everything that a service is told, beyond its model and its sources.

    Attributes:
        name: Shown as the source of every card.
        base_url: By what address clients reach the service; tokens are for it and for no other.
        clients: Who may ask. Without any the service answers on this machine only.
        fhir_servers: Which FHIR servers CDS clients may name.
        smart_app: A SMART app that cards link to.
        stale_after_days: Age beyond which a score says that it is old.
        warn_above: By cause, a probability at the last horizon from which a card is a warning. The site
            decides; a card is never critical.
        private_hosts: Hosts, by name, whose addresses may be private: those of the hospital's own network.
        waiting: Calls of the model that may wait; the next is told to come again.
        notifications: A file with the secret that a FHIR Subscription sends in its header.
    """

    name: str = "prognosis"
    base_url: Address | None = None
    clients: tuple[Client, ...] = ()
    fhir_servers: tuple[EhrServer, ...] = ()
    smart_app: Address | None = None
    stale_after_days: float = Field(default=7.0, gt=0.0)
    warn_above: dict[str, Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default_factory=dict)
    private_hosts: tuple[str, ...] = ()
    waiting: int = Field(default=32, ge=1, le=10_000)
    notifications: Path | None = None

    @model_validator(mode="after")
    def _clients_know_the_service(self) -> ServiceSettings:
        if self.clients and self.base_url is None:
            message = "base_url is needed where there are clients: their tokens must be for it"
            raise ValueError(message)
        if len({client.issuer for client in self.clients}) < len(self.clients):
            message = "an issuer is named twice"
            raise ValueError(message)
        known = {server.base for server in self.fhir_servers}
        unknown = sorted({base for client in self.clients for base in client.fhir_servers} - known)
        if unknown:
            message = f"a client names {unknown[0]}, which is not among fhir_servers"
            raise ValueError(message)
        return self

    @classmethod
    def load(cls, path: Path) -> ServiceSettings:
        """Read settings from YAML; files they name are relative to the YAML's folder.

        Raises:
            ConfigError: The file is absent, is not YAML, or does not state settings.
        """
        stated = read_yaml(path, ConfigError, "service settings")
        try:
            settings = cls.model_validate(stated or {})
        except ValidationError as error:
            remedy = "see configs/service for a complete example"
            raise refusal(cls, error, str(path), ConfigError, remedy) from error
        here = path.parent
        clients = tuple(
            client if client.keys is None else client.model_copy(update={"keys": here / client.keys})
            for client in settings.clients
        )
        secret = settings.notifications
        return settings.model_copy(
            update={"clients": clients, "notifications": None if secret is None else here / secret}
        )

    def check_binding(self, host: str) -> None:
        """Refuse to answer other machines without knowing who asks.

        Raises:
            ConfigError: Nobody is authenticated, and the address is not of this machine alone.
        """
        if not self.clients and host not in LOOPBACK:
            problem = "would answer other machines without asking who they are"
            raise ConfigError(f"--host {host}", problem, "name clients in --settings, or use 127.0.0.1")
