"""How the command line logs in is said once, in the environment, and never half."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from connectors.fhir.http.login import GivenToken
from connectors.fhir.smart import BackendServices
from prognosis.cli.sources import open_sources
from prognosis.cli.sources.fhir_login import fhir_login
from prognosis.errors import SourceError

BASE = "https://fhir.example.org/r4"
NAMES = ("TOKEN", "CLIENT_ID", "KEY", "TOKEN_URL", "SCOPES")


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key file, and an environment that says nothing yet."""
    for name in NAMES:
        monkeypatch.delenv(f"PROGNOSIS_FHIR_{name}", raising=False)
    path = tmp_path / "key.pem"
    path.touch(0o600)
    path.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    return str(path)


def said(monkeypatch: pytest.MonkeyPatch, **words: str) -> None:
    for name, word in words.items():
        monkeypatch.setenv(f"PROGNOSIS_FHIR_{name}", word)


def test_nothing_a_token_or_a_key_is_what_was_said(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fhir_login(BASE) is None
    with monkeypatch.context() as only:
        only.setenv("PROGNOSIS_FHIR_TOKEN", "abc")
        assert isinstance(fhir_login(BASE), GivenToken)
    said(monkeypatch, CLIENT_ID="north", KEY=key, SCOPES="system/Patient.rs system/Observation.rs")
    login = fhir_login(BASE)
    assert isinstance(login, BackendServices)
    assert (login.covers("Observation"), login.covers("Condition")) == (True, False)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"TOKEN": "abc", "CLIENT_ID": "north", "KEY": "{key}"}, "are both set"),
        ({"TOKEN": "abc", "KEY": "{key}"}, "are both set"),
        ({"CLIENT_ID": "north"}, "without the other"),
        ({"KEY": "{key}"}, "without the other"),
        ({"TOKEN_URL": f"{BASE}/token"}, "PROGNOSIS_FHIR_TOKEN_URL is set"),
        ({"TOKEN": "abc", "SCOPES": "system/*.rs"}, "PROGNOSIS_FHIR_SCOPES is set"),
        ({"CLIENT_ID": "north", "KEY": "absent.pem"}, "cannot be read"),
        ({"CLIENT_ID": "north", "KEY": "{key}", "TOKEN_URL": "http://other.example/token"}, "plain http"),
        ({"CLIENT_ID": "north", "KEY": "{key}", "TOKEN_URL": "https://a:b@other.example/t"}, "a password"),
    ],
)
def test_what_contradicts_itself_is_refused(
    key: str, words: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(monkeypatch, **{name: word.format(key=key) for name, word in words.items()})
    with pytest.raises(SourceError, match=why) as caught:
        open_sources([f"fhir-server:{BASE}"], None)
    assert "abc" not in str(caught.value)


def test_one_login_does_not_go_to_two_servers(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said(monkeypatch, CLIENT_ID="north", KEY=key)
    with pytest.raises(SourceError, match="name one server at a time"):
        open_sources([f"fhir-server:{BASE}", "fhir-server:https://other.example/r4"], None)
