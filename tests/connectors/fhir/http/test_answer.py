"""A status that no answer was hoped for is told with what the reader can do about it."""

from __future__ import annotations

import pytest

from connectors.fhir.http.answer import Answer, refused


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "PROGNOSIS_FHIR_TOKEN"),
        (403, "whose scopes allow this read"),
        (404, "a FHIR server's base, as https://host/fhir, and the id"),
        (302, "the address that it redirects to"),
        (503, "try again later"),
        (422, "that the server supports this search"),
    ],
)
def test_a_refusal_says_what_would_mend_it(status: int, remedy: str) -> None:
    assert remedy in str(refused(Answer(status, {}, b""), "http://server metadata", 1))
