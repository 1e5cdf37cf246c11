"""Whether two resources say the same, as far as a server may change what it is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fhir.http.difference import difference

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
resources = st.dictionaries(st.sampled_from(["status", "code", "note"]), values, max_size=3)


@given(resources)
def test_a_resource_is_no_different_from_itself_or_with_what_servers_add(resource) -> None:
    assert difference(resource, resource) is None
    stamped = {**resource, "meta": {"versionId": "3"}, "text": {"status": "generated"}}
    assert difference(resource, stamped) is None


@pytest.mark.parametrize(
    ("written", "held", "place"),
    [
        ({"a": 1}, {"a": 1.0000001}, "a"),
        ({"a": 1}, {"a": "1"}, "a"),
        ({"a": True}, {"a": 1}, "a"),
        ({"a": [1, 2]}, {"a": [1]}, "a"),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, "a.1.b"),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, "a.c"),
        ({"a": {"b": 1}}, {}, "a"),
        ({"meta": {"security": [{"code": "AIAST"}]}}, {"meta": {"security": "AIAST"}}, "meta.security"),
        ({"meta": {"security": [{"code": "AIAST"}]}}, {"meta": {"security": ["AIAST"]}}, "meta.security"),
    ],
)
def test_the_first_element_that_differs_is_named(written, held, place: str) -> None:
    assert difference(written, held) == place


def test_a_decimal_may_come_back_in_other_last_digits() -> None:
    assert difference({"a": 7.1}, {"a": 7.1000000000000005}) is None
