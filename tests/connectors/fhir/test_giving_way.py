"""An answer that takes another's place leaves alone what a person has made final."""

from __future__ import annotations

import pytest

from prognosis.errors import WriteError
from tests.connectors.fhir.ledger import ledger, writer
from tests.connectors.fhir.test_writing import ANSWERS, names_of, resource


def test_a_report_that_a_person_made_final_is_not_withdrawn_by_an_answer_without_one() -> None:
    server = ledger()
    with writer(server) as writing:
        writing.write(ANSWERS)
        report = {**ANSWERS[2], "status": "final"}
        server.put(report)
        with pytest.raises(WriteError, match="taken out of the status preliminary"):
            writing.write([resource(status="cancelled", prediction=[])], names_of(*ANSWERS[1:]))
    assert [each["status"] for each in server.held.values()] == ["preliminary", "preliminary", "final"]
