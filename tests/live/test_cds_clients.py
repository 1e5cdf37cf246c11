"""CDS clients that no one here wrote discover the service, prefetch, and get a card."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prognosis.serve.settings import ServiceSettings
from tests.serve.charts import whole_chart
from tests.serve.hospital import OTHER_FHIR, Hospital, running
from tests.simulated import Simulated

HERE = Path(__file__).parent
MODULES = "PROGNOSIS_TEST_NODE"
HEALTHCHAIN = "PROGNOSIS_TEST_HEALTHCHAIN"


@pytest.fixture(scope="module")
def elsewhere(small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A service that knows no patient of the EHR but by what the EHR sends."""
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": OTHER_FHIR}]})
    with running(small, tmp_path_factory.mktemp("elsewhere"), settings) as found:
        yield found


@pytest.fixture(scope="module")
def comparing(compared: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """The same with a model that compares arms."""
    settings = ServiceSettings.model_validate({"fhir_servers": [{"base": OTHER_FHIR}]})
    with running(compared, tmp_path_factory.mktemp("comparing"), settings) as found:
        yield found


@pytest.fixture(scope="module")
def chart(elsewhere: Hospital, small: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart of a patient as a file."""
    path = tmp_path_factory.mktemp("chart") / "chart.json"
    keys = elsewhere.http.get("/cds-services").json()["services"][0]["prefetch"]
    stated = whole_chart(small, small.complete[0].record.patient_id, keys)
    path.write_text(json.dumps(stated), encoding="utf-8")
    return path


def ran(*command: object) -> Any:
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def check(card: dict[str, Any], elsewhere: Hospital, small: Simulated) -> None:
    """The card is of the score that the service has of this patient, and within the standard's bounds."""
    key = elsewhere.service.key.anywhere(OTHER_FHIR, small.complete[0].record.patient_id)
    (kept,) = elsewhere.service.scores.latest_anywhere(key, small.model.model_id)
    first = kept.score.risks[0].cause
    last = max((each for each in kept.score.risks if each.cause == first), key=lambda each: each.days)
    assert f"{first} {100 * last.probability:.0f}%" in card["summary"]
    assert len(card["summary"]) < 140
    assert card["indicator"] == "info"
    assert card["source"]["label"] == "prognosis"


def medplum(service: Hospital, small: Simulated, chart: Path) -> Any:
    """What Medplum's client was told."""
    folder, node = os.environ.get(MODULES), shutil.which("node")
    modules = Path(folder or ".") / "node_modules"
    if node is None or folder is None or not (modules / "@medplum" / "core").is_dir():
        pytest.skip("no @medplum/core here: tests/live/install puts it there")
    patient = small.complete[0].record.patient_id
    return ran(node, HERE / "medplum_cds.mjs", modules, service.url, patient, chart)


def healthchain(service: Hospital, small: Simulated, chart: Path) -> Any:
    """The answer that HealthChain's client got."""
    python = os.environ.get(HEALTHCHAIN)
    if python is None:
        pytest.skip("no HealthChain here: tests/live/install makes an environment of it")
    patient = small.complete[0].record.patient_id
    ((answer),) = ran(python, HERE / "healthchain_cds.py", service.url, patient, chart)
    return answer


def check_arms(cards: list[dict[str, Any]]) -> None:
    """Beside the score stands what each arm would do, which nobody can accept as an order."""
    _, arms = cards
    assert "intensified" in arms["detail"]
    assert "orders nothing" in arms["detail"]
    assert len(arms["summary"]) < 140
    assert not arms.get("suggestions")


def test_medplum_s_client_gets_a_card(elsewhere: Hospital, small: Simulated, chart: Path) -> None:
    told = medplum(elsewhere, small, chart)
    assert {each["hook"] for each in told["services"]} == {"patient-view", "order-select"}
    assert "observation" in told["keys"]
    (card,) = told["answer"]["cards"]
    check(card, elsewhere, small)


def test_healthchain_s_client_gets_a_card(elsewhere: Hospital, small: Simulated, chart: Path) -> None:
    check(healthchain(elsewhere, small, chart)["cards"][0], elsewhere, small)


def test_medplum_s_client_gets_a_second_card_of_the_arms(
    comparing: Hospital, compared: Simulated, chart: Path
) -> None:
    check_arms(medplum(comparing, compared, chart)["answer"]["cards"])


def test_healthchain_s_client_gets_a_second_card_of_the_arms(
    comparing: Hospital, compared: Simulated, chart: Path
) -> None:
    check_arms(healthchain(comparing, compared, chart)["cards"])
