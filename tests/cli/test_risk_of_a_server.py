"""`prognosis risk` of a FHIR server reads one patient, and answers as it does from the files."""

from __future__ import annotations

import json

from tests.cli.program import Program
from tests.connectors.fhir.chartroom import Chartroom
from tests.connectors.fhir.ward import opened
from tests.simulated import Simulated


def test_the_answer_is_that_of_the_files_and_no_other_patient_s_facts_are_read(
    prognosis: Program, small: Simulated
) -> None:
    files = sorted((small.folder / "fhir").glob("*.ndjson"))
    resources = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    name = small.complete[0].record.patient_id
    images = small.uris[1]
    common = (name, "--model", small.model_folder, "--source", images, "--json", "--source")
    with opened(Chartroom(resources)) as room:
        address = f"fhir-server:{room.address}"
        told = prognosis("risk", *common, address)
        asked = [each.form.get("patient") for each in room.requests if "patient" in each.form]
        assert asked
        assert set(asked) == {name}
        absent = prognosis("risk", "nobody", *common[1:], address)
    assert told.stated == prognosis("risk", *common, small.uris[0]).stated
    assert absent.status == 2
    assert "is not in the sources" in absent.prose
