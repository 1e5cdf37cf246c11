"""What a scope lets be read, in both of its forms."""

import pytest

from connectors.fhir.smart.scopes import names, not_readable, reads

READING = [
    "system/*.read",
    "system/*.*",
    "system/Observation.read",
    "system/*.rs",
    "system/Observation.cruds",
]
NOT = [
    "system/*.write",
    "system/*.r",
    "system/*.s",
    "system/*.rs?status=final",
    "system/Patient.read",
    "user/*.read",
    "patient/Observation.rs",
    "system/*",
    "system/*.",
    "system/Observation",
    "xsystem/*.read",
    "system/*.read\n",
    "*",
    "",
]


@pytest.mark.parametrize("scope", READING)
def test_a_scope_that_reads_and_searches_a_type_is_enough(scope: str) -> None:
    assert reads(scope, "Observation", "system")
    assert not_readable(["Observation"], (), (scope,), "system") == ()


@pytest.mark.parametrize("scope", NOT)
def test_a_scope_that_allows_less_is_not(scope: str) -> None:
    assert not reads(scope, "Observation", "system")
    assert not_readable(["Observation"], (), (scope,), "system") == ("Observation",)


def test_a_narrowed_scope_is_enough_where_it_was_asked_for_in_the_same_words() -> None:
    narrowed = "system/Observation.rs?status=final"
    assert names(narrowed, "Observation")
    assert not_readable(["Observation"], (narrowed,), (narrowed,), "system") == ()
    assert not_readable(["Observation"], (narrowed,), (f"{narrowed}&x",), "system") == ("Observation",)
