"""How long is waited before a request is made again."""

from __future__ import annotations

import pytest

from connectors.fhir.http.retry import RetryPolicy, is_retried, retry_after_s

NOW = "Mon, 02 Mar 2020 07:00:00 GMT"
ASKED = {
    "seconds": ({"retry-after": "120"}, 120.0),
    "a date, from the server's own clock": (
        {"retry-after": "Mon, 02 Mar 2020 07:01:30 GMT", "date": NOW},
        90.0,
    ),
    "a date that has passed": ({"retry-after": "Mon, 02 Mar 2020 06:00:00 GMT", "date": NOW}, 0.0),
    "a date without the server's clock": ({"retry-after": NOW}, None),
    "a date without a zone": ({"retry-after": "Mon, 02 Mar 2020 07:01:30", "date": NOW}, None),
    "a negative number": ({"retry-after": "-5", "date": NOW}, None),
    "a number beyond sense": ({"retry-after": "9" * 400, "date": NOW}, None),
    "no number": ({"retry-after": "soon", "date": NOW}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), ASKED.values(), ids=ASKED.keys())
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_what_the_server_asks_for_is_waited_up_to_the_longest_wait() -> None:
    policy = RetryPolicy(longest_wait_s=30, draw=lambda: 0.0)
    assert policy.wait_s(1, {"retry-after": "7"}) == 7
    assert policy.wait_s(1, {"retry-after": "3600"}) == 30


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
def test_backoff_doubles_is_capped_and_never_falls_below_half(drawn: float) -> None:
    policy = RetryPolicy(first_wait_s=1, longest_wait_s=5, draw=lambda: drawn)
    share = 0.5 + drawn / 2
    assert [policy.wait_s(failures) for failures in (1, 2, 3, 4, 60)] == [
        share * each for each in (1, 2, 4, 5, 5)
    ]


def test_only_too_many_requests_and_faults_of_the_server_are_retried() -> None:
    assert [status for status in range(200, 600) if is_retried(status)] == [429, *range(500, 600)]
