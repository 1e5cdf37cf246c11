"""Every route is what OpenAPI says of it: a fuzzer, with a token and without, finds nothing undeclared.

`PROGNOSIS_FUZZ_EXAMPLES=500` asks for more examples of each route and kind than the suite has time for.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from prognosis.serve.app import create_app
from prognosis.serve.front import NOTIFY, OPEN
from tests.connectors.fhir.ward import FACTS, PATIENTS, Request, Ward, opened, reply, searchset
from tests.serve.hospital import (
    BASE,
    EHR,
    LOGIN,
    SECRET,
    VIEW,
    Hospital,
    claims,
    running,
    settings_of,
    signed,
)
from tests.simulated import Simulated

EXAMPLES = int(os.environ.get("PROGNOSIS_FUZZ_EXAMPLES", "25"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TOKEN = {"access_token": "of-this-test-only", "token_type": "Bearer"}
Headers = Callable[[str], Mapping[str, str]]
Statuses = dict[str, Counter[int]]


def linked(request: Request, good: bytes) -> bytes:
    """Nobody links to anybody."""
    return reply(searchset([], total=0)) if "link" in request.form else good


@pytest.fixture(scope="module")
def clinic(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A service with clients, whose EHR has its FHIR server on this machine."""
    folder = tmp_path_factory.mktemp("clinic")
    with opened(Ward([*PATIENTS, *FACTS], damage=linked)) as ward:
        stated = settings_of(folder)
        ehr = stated.clients[0].model_copy(update={"services": (), "fhir_servers": (ward.address,)})
        settings = settings_of(
            folder,
            clients=[ehr.model_dump(), stated.clients[1].model_dump()],
            fhir_servers=[{"base": ward.address, "same_patients": True}],
        )
        with running(small, folder, settings) as found:
            yield found


def nobody(_: str) -> Mapping[str, str]:
    """No token."""
    return {}


def client(path: str) -> Mapping[str, str]:
    """The token that is right for a path, signed anew for each request."""
    if path == NOTIFY:
        return {"Authorization": f"Bearer {SECRET}"}
    if path.startswith("/cds-services/"):
        return signed(claims(f"{BASE}{path}", EHR))
    return signed(claims(BASE, LOGIN, scope="system/*.read"))


def forged(case: schemathesis.Case) -> bool:
    """Whether what is wrong with a request is its token, which a right one would mend."""
    header = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    return header is not None and header.mode is GenerationMode.NEGATIVE


def fuzzed(
    hospital: Hospital,
    headers: Headers,
    mode: GenerationMode = GenerationMode.POSITIVE,
    known: Mapping[str, str] | None = None,
    examples: int = EXAMPLES,
) -> Statuses:
    """Ask every route with what a fuzzer makes of its description; the statuses that came.

    Args:
        hospital: The service.
        headers: The Authorization for a path.
        mode: Whether what is asked is as described, or is not.
        known: Names that there are: of a patient, a service, its hook.
        examples: Of each route.
    """
    schema = schemathesis.openapi.from_dict(create_app(hospital.service).openapi())
    checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
    seen: Statuses = defaultdict(Counter)
    for found in schema.get_all_operations():
        operation = found.ok()
        named = {each.name: known[each.name] for each in operation.path_parameters if known} or None

        @hypothesis_settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode, path_parameters=named))
        def fuzz(case: schemathesis.Case) -> None:
            if known and isinstance(case.body, dict) and "context" in case.body:
                case.body["context"]["patientId"] = known["patient"]
                case.body["hook"] = known["hook"]
                case.body["fhirAuthorization"] = TOKEN
                case.body.pop("fhirServer", None)
            path = unquote(urlsplit(case.as_transport_kwargs(base_url=hospital.url)["url"]).path)
            given = {} if forged(case) else dict(headers(path))
            answer = case.call(base_url=hospital.url, headers=given, timeout=60)
            case.validate_response(answer, checks=checks)
            seen[case.operation.label][answer.status_code] += 1

        if mode is GenerationMode.POSITIVE or operation.path_parameters or operation.body or operation.query:
            fuzz()
    return seen


def test_with_a_token_every_answer_is_as_declared(clinic: Hospital) -> None:
    seen = fuzzed(clinic, client)
    assert set(seen) == {f"{method} {path}" for method, path in operations(clinic)}
    assert {label for label, statuses in seen.items() if 401 in statuses} == set()
    assert seen["GET /cohorts"].keys() == {200}
    assert seen["POST /notifications"].keys() == {202}


@pytest.mark.parametrize("where", ["the service's own sources", "the EHR alone"])
def test_of_a_patient_that_there_is_every_answer_is_as_declared(
    clinic: Hospital, patient: str, where: str
) -> None:
    named = patient if where == "the service's own sources" else "anna"
    seen = fuzzed(clinic, client, known={"patient": named, "service_id": VIEW, "hook": "patient-view"})
    assert seen["POST /cds-services/{service_id}"][200]
    for route in ("GET /risk/{patient}", "GET /explain/{patient}"):
        assert bool(seen[route][200]) == (named == patient)


def test_what_is_not_as_described_is_refused_as_declared(clinic: Hospital) -> None:
    seen = fuzzed(clinic, client, GenerationMode.NEGATIVE)
    assert seen
    assert all(400 <= status < 500 for statuses in seen.values() for status in statuses)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_without_a_token_only_what_is_open_is_answered(clinic: Hospital, mode: GenerationMode) -> None:
    for label, statuses in fuzzed(clinic, nobody, mode, examples=EXAMPLES // 3).items():
        method, path = label.split(" ")
        assert statuses.keys() == ({200} if method == "GET" and path in OPEN else {401}), label


def test_a_service_that_asks_nobody_who_they_are_answers_as_declared(desk: Hospital, patient: str) -> None:
    named = {"patient": patient, "service_id": VIEW, "hook": "patient-view"}
    seen = fuzzed(desk, nobody, known=named, examples=EXAMPLES // 3)
    assert not any(401 in statuses for statuses in seen.values())
    assert seen["GET /explain/{patient}"][200]
    assert seen["POST /notifications"].keys() == {404}


def test_a_method_that_a_route_does_not_have_is_refused_with_those_that_it_has(clinic: Hospital) -> None:
    had = defaultdict(set)
    for method, path in operations(clinic):
        had[path].add(method)
    for path, methods in had.items():
        place = path.format(patient="x", service_id=VIEW)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            answer = clinic.http.request(method, place, headers=client(place))
            assert answer.status_code == 405, (method, path)
            assert {each.strip() for each in answer.headers["allow"].split(",")} == methods, (method, path)
            assert answer.json()["status"] == 405


def test_every_status_that_is_declared_has_an_example(clinic: Hospital) -> None:
    stated = create_app(clinic.service).openapi()
    for method, path in operations(clinic):
        for status, response in stated["paths"][path][method.lower()]["responses"].items():
            for kind, content in response["content"].items():
                name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                schema = stated["components"]["schemas"].get(name, {})
                told = "example" in content or "example" in schema or "examples" in schema
                assert told, (method, path, status, kind)


def operations(hospital: Hospital) -> Iterator[tuple[str, str]]:
    """Method and path of every route that OpenAPI has."""
    for path, methods in create_app(hospital.service).openapi()["paths"].items():
        for method in methods:
            yield method.upper(), path
