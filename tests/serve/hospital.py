"""A service on loopback as a hospital would run it, and the clients that may and may not ask it."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from prognosis.cli.sources.charts import FhirCharts
from prognosis.cli.sources.patients import SourcePatients
from prognosis.serve.app import create_app
from prognosis.serve.service import Service
from prognosis.serve.settings import ServiceSettings
from prognosis.serve.state_folder import StateFolder
from tests.simulated import Simulated

EHR = "https://ehr.example"
LOGIN = "https://login.example"
BASE = "https://prognosis.example"
FHIR = "https://ehr.example/fhir"
OTHER_FHIR = "https://elsewhere.example/fhir"
VIEW = "prognosis-patient-view"
SECRET = "a-secret-of-this-test-only"  # noqa: S105

EC_384 = ECKey.generate_key("P-384", {"kid": "ec384", "use": "sig"})
EC_256 = ECKey.generate_key("P-256", {"kid": "ec256", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
SHORT_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too short is what it is for
STRANGER = ECKey.generate_key("P-384", {"kid": "ec384"})


def claims(audience: str, issuer: str, **changes: object) -> dict[str, Any]:
    """What a good token says; a change to None takes a claim away."""
    now = time.time_ns() // 10**9
    stated: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "iat": now - 1,
        "exp": now + 120,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return {name: value for name, value in stated.items() if value is not None}


def signed(stated: Mapping[str, Any], key: ECKey | RSAKey = EC_384, **header: object) -> dict[str, str]:
    """The Authorization header of a token."""
    algorithm = {"P-384": "ES384", "P-256": "ES256"}.get(getattr(key, "curve_name", ""), "RS384")
    full = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **header}
    stated_header = {name: value for name, value in full.items() if value is not None}
    token = jwt.encode(stated_header, dict(stated), key, algorithms=[stated_header["alg"]])
    return {"Authorization": f"Bearer {token}"}


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def modulus() -> bytes:
    return SHORT_RSA.public_key().public_numbers().n.to_bytes(128, "big")


def signed_short(stated: Mapping[str, Any]) -> dict[str, str]:
    """A token whose signature is right, by an RSA key that is too short to be believed."""
    head = base64url(json.dumps({"alg": "RS384", "kid": "short"}).encode())
    told = f"{head}.{base64url(json.dumps(stated).encode())}"
    signature = SHORT_RSA.sign(told.encode(), padding.PKCS1v15(), hashes.SHA384())
    return {"Authorization": f"Bearer {told}.{base64url(signature)}"}


def cds_token(path: str = f"/cds-services/{VIEW}", **changes: object) -> dict[str, str]:
    """Of the EHR, for one CDS service."""
    return signed(claims(f"{BASE}{path}", EHR, **changes))


def rest_token(scope: str = "system/*.read", **changes: object) -> dict[str, str]:
    """Of a REST client."""
    return signed(claims(BASE, LOGIN, scope=scope, **changes))


def settings_of(folder: Path, **changes: object) -> ServiceSettings:
    """Settings with an EHR and a login server, whose keys are in files."""
    keys = KeySet([EC_384, EC_256, RSA]).as_dict(private=False)
    keys["keys"].append({"kty": "RSA", "kid": "short", "e": "AQAB", "n": base64url(modulus())})
    keys["keys"].append({"kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I"})
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    stated = {
        "name": "Test service",
        "base_url": BASE,
        "clients": [
            {
                "issuer": EHR,
                "keys": folder / "keys.json",
                "may": ["cds"],
                "services": [VIEW],
                "fhir_servers": [FHIR],
            },
            {"issuer": LOGIN, "keys": folder / "keys.json", "may": ["rest"]},
        ],
        "fhir_servers": [{"base": FHIR, "same_patients": True}, {"base": OTHER_FHIR}],
        "notifications": folder / "secret",
    }
    return ServiceSettings.model_validate({**stated, **changes})


@dataclass(frozen=True, slots=True)
class Hospital:
    """A service that is running.

    Attributes:
        url: Where it listens.
        service: The service itself.
        folder: Its state.
        http: A client.
    """

    url: str
    service: Service
    folder: Path
    http: httpx.Client = field(repr=False)

    def call(
        self, context: Mapping[str, Any], headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Call the patient-view service as an EHR does."""
        body = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": {"userId": "Practitioner/1", **context},
            **more,
        }
        return self.http.post(f"/cds-services/{VIEW}", json=body, headers=dict(headers or {}))


@contextmanager
def running(
    small: Simulated,
    folder: Path,
    settings: ServiceSettings,
    uris: Sequence[str] | None = None,
    *,
    access_log: bool = False,
    **how: Any,
) -> Iterator[Hospital]:
    """A service of the small cohort, or of other sources, on a free port of loopback, ended afterwards."""
    records = SourcePatients(uris or small.uris, small.model.task)
    state = StateFolder(folder / "state")
    service = Service.open(settings, small.model, records, FhirCharts(), state)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(create_app(service, **how), log_config=None, access_log=access_log, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Hospital(url, service, state.folder, http)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
