"""What an EHR shows when a chart is opened: the service is started, and asked as an EHR asks it."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prognosis.cli.live.process import answers, free_port, started
from prognosis.errors import SourceError

PATIENT_VIEW = "cds-services/prognosis-patient-view"
PROGRAM = "from prognosis.cli.main import run; run()"
SILENCE_S = 60.0
WAIT_S = 1.0
LONGEST_S = 120.0
"""For the first score of a service that has just been started."""


def patient_view(
    folder: Path, model: Path, sources: Sequence[str], fhir_server: str, patient: str
) -> dict[str, Any]:
    """The service's answer to a patient-view call about a patient of a FHIR server.

    The service is `prognosis serve` in a process of its own, with the same model and sources; it is asked to
    end afterwards, and keeps what it audited.

    Args:
        folder: For its settings, its log and its state.
        model: A model folder.
        sources: What it reads records and films from.
        fhir_server: The address that the EHR names.
        patient: The patient's id there.

    Raises:
        SourceError: It does not start, offers no such service, or gives no card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {"name": "prognosis", "fhir_servers": [{"base": fhir_server, "same_patients": True}]}
    settings = folder / "settings.yaml"  # JSON is YAML
    settings.write_text(json.dumps(known), encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, "serve", "--model", str(model.absolute())]
    command += ["--state", str((folder / "state").absolute()), "--settings", str(settings.absolute())]
    command += ["--port", str(port), *(word for uri in sources for word in ("--source", uri))]
    url = f"http://127.0.0.1:{port}"
    with started(
        command, folder.absolute() / "log", lambda: answers(f"{url}/ready"), environment=_here(), gently=True
    ):
        return _asked(url, fhir_server, patient)


def _here() -> dict[str, str]:
    """This environment, with the package where this process found it."""
    own = str(Path(__file__).resolve().parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _asked(url: str, fhir_server: str, patient: str) -> dict[str, Any]:
    import httpx

    call = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": fhir_server,
        "context": {"userId": "Practitioner/demo", "patientId": patient},
    }
    with httpx.Client(base_url=url, trust_env=False, timeout=SILENCE_S) as ehr:
        offered = {each["hook"] for each in ehr.get("/cds-services").json()["services"]}
        if "patient-view" not in offered:
            raise SourceError("the service", "offers no patient-view", "see its log")
        until = time.monotonic() + LONGEST_S
        while (answer := ehr.post(f"/{PATIENT_VIEW}", json=call)).status_code == 503:
            if time.monotonic() > until:
                break
            time.sleep(WAIT_S)  # the score is still being made: it says so, and is asked again
    if answer.status_code != 200:
        raise SourceError(
            "the service", f"answers patient-view with status {answer.status_code}", "see its log"
        )
    given: dict[str, Any] = answer.json()
    return given
