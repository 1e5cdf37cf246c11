"""Values read from bytes are what the strict parser and the mapping read; lines of one meaning may differ."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.fhir.ingest.values import NO_DATE, first_instant, is_id, number_at, number_end, string_end
from connectors.fhir.mapping_fields import FHIR_ID
from connectors.fhir.mapping_times import moment
from connectors.fhir.parse import parse_resource
from prognosis.errors import MappingError
from tests.connectors.fhir.edges import ICD
from tests.connectors.fhir.resources import CRP, MG_PER_L, Resource, line, observation, patient
from tests.connectors.fhir.test_ingest import assert_same, write_lines


def held(text: bytes) -> np.ndarray:
    """Bytes with room behind them to be looked at."""
    return np.frombuffer(text + b"\n" + bytes(64), np.uint8)


@given(st.from_regex(rb"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][0-9])?[,}]", fullmatch=True))
@example(b"0.1,")
@example(b"-0}")
@example(b"01,")
@example(b"123456789012.345,")
def test_a_number_is_read_as_the_strict_parser_reads_it_or_not_at_all(text: bytes) -> None:
    block = held(text)
    start = block.ctypes.data
    number, end = number_at(start)
    if end:
        assert end - start == len(text) - 1
        assert number == float(json.loads(text[:-1]))
    if ends := number_end(start):
        assert ends - start == len(text) - 1
        json.loads(text[:-1])


def test_a_plain_number_is_not_left_to_the_mapping() -> None:
    for text in (b"7.25,", b"-12,", b"0,", b"0.004}"):
        assert number_at(held(text).ctypes.data)[1]


DATES = st.one_of(
    st.from_regex(r"(18[45]|20[12]|225)[0-9]-[01][0-9]-[0-3][0-9]", fullmatch=True),
    st.from_regex(
        r"20[0-2][0-9]-(0[1-9]|1[012])-[0-3][0-9]T[012][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-][01][0-9]:[0-5][0-9])",
        fullmatch=True,
    ),
)


@settings(max_examples=400)
@given(DATES)
@example("2020-02-29")
@example("2100-02-29")
@example("1850-01-01")
@example("2250-12-31T23:59:59.999999-14:59")
def test_a_date_is_the_instant_that_the_mapping_reads_or_is_left_to_it(text: str) -> None:
    block = held(text.encode())
    start = block.ctypes.data
    found = first_instant(start, start + len(text))
    if found != NO_DATE:
        read = moment({"date": text}, "date", "x")
        assert read is not None
        assert read.first == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(found))
        assert (read.precision == "day") == (len(text) == 10)


@settings(max_examples=400)
@given(
    st.one_of(st.binary(max_size=90), st.text(max_size=60).map(lambda text: json.dumps(text)[1:-1].encode()))
)
@example("größer als 37°".encode())
@example(b"\\ud83d\\ude00")
@example(b"\xed\xa0\x80")
@example(b"\xf4\x90\x80\x80")
@example(b"\xc0\xaf")
@example(b"a" * 40 + b"\\n" + b"b" * 40)
def test_a_string_ends_where_the_strict_parser_ends_it_or_is_left_to_it(content: bytes) -> None:
    block = held(content + b'"')
    start = block.ctypes.data
    end = abs(string_end(start))
    if end:
        inside = content[: end - start]
        parse_resource(b'{"a":"' + inside + b'"}', "line")
        assert (string_end(start) < 0) == (b"\\" in inside)
    elif b'"' not in content and b"\\ud" not in content.lower():
        try:
            parse_resource(b'{"a":"' + content + b'"}', "line")
        except MappingError:
            return
        raise AssertionError("a string that the parser reads is not read")


@given(st.text("aZ09-._/ é", max_size=70))
def test_an_id_is_what_the_mapping_takes_for_one(text: str) -> None:
    block = held(text.encode())
    start = block.ctypes.data
    assert is_id(start, start + len(text.encode())) == bool(FHIR_ID.match(text))


TIMES = (
    "2020-03-01",
    "2020-03-02",
    "2020-03-01T00:00:00Z",
    "2020-03-01T23:59:59.999999Z",
    "2020-03-01T09:00:00+02:00",
)
TIMES += (
    "2020-03-01T00:00:00.000001Z",
    "2020-03-02T07:00:00-05:00",
    "2020-03",
    "1949-12-31",
    "2020-03-01T07:00:00Z",
)
NUMBERS = (0, -0.0, 7, 7.25, -3.5, 0.1, 1e21, 0.1234567890123456, 999999999999999, 1234567890123456.5)
SUBJECTS = (
    "Patient/anna",
    "Patient/zoe",
    "https://x/fhir/Patient/zoe",
    "Patient/x/_history/1",
    "Group/g",
    "Patient/nobody",
)
TEXTS = ("positive", "größer", 'a"b', "\u2028", " ", "two\nlines", "😀")
WHEN = st.sampled_from(TIMES)
QUANTITY = st.builds(lambda number: {"value": number, **MG_PER_L}, st.sampled_from(NUMBERS))


def about(kind: str, **content: st.SearchStrategy[object]) -> st.SearchStrategy[Resource]:
    """Resources of one structure."""
    subject = st.sampled_from(SUBJECTS).map(lambda reference: {"reference": reference})
    return st.fixed_dictionaries({"resourceType": st.just(kind), "subject": subject, **content})


DRAWN = st.one_of(
    about(
        "Observation", status=st.sampled_from(("final", "cancelled")), code=st.just(CRP), issued=WHEN,
        effectiveDateTime=WHEN, valueQuantity=QUANTITY, note=st.sampled_from(TEXTS),
    ),
    about(
        "Observation", status=st.just("final"), code=st.just(CRP), issued=WHEN,
        valueString=st.sampled_from(TEXTS),
    ),
    about(
        "Observation", status=st.just("final"), code=st.just(CRP), issued=WHEN,
        component=st.lists(
            st.fixed_dictionaries({"code": st.just(CRP), "valueQuantity": QUANTITY}), max_size=3
        ),
    ),
    about(
        "Encounter", status=st.just("finished"), period=st.fixed_dictionaries({"start": WHEN, "end": WHEN}),
        **{"class": st.just({"code": "IMP"})},
    ),
    about(
        "Condition", code=st.just(ICD), recordedDate=WHEN, onsetPeriod=st.fixed_dictionaries({"start": WHEN})
    ),
    about("MedicationAdministration", status=st.just("completed"), medicationCodeableConcept=st.just(ICD),
          effectivePeriod=st.fixed_dictionaries({"start": WHEN}),
          dosage=st.fixed_dictionaries({"dose": QUANTITY})),
    about("MedicationRequest", status=st.just("active"), authoredOn=WHEN,
          medicationReference=st.sampled_from(
              ({"reference": "Medication/m"}, {"reference": "Medication/n"}))),
    st.fixed_dictionaries({"resourceType": st.just("Patient"), "birthDate": WHEN, "deceasedDateTime": WHEN,
                           "gender": st.sampled_from(("male", "female", "divers"))}),
)  # fmt: skip


@settings(max_examples=12)
@given(st.lists(DRAWN, min_size=60, max_size=160), st.integers(0, 3))
def test_lines_of_one_structure_mean_what_the_mapping_makes_of_each(
    drawn: list[Resource], repeated: int
) -> None:
    lines = [
        json.dumps({**each, "id": f"n{number}"}, ensure_ascii=number % 2 == 0).encode()
        for number, each in enumerate(drawn)
    ]
    drug = line({"resourceType": "Medication", "id": "m", "code": ICD})
    again = [line(observation(f"n{number}", "Patient/anna")) for number in range(repeated)]
    with tempfile.TemporaryDirectory() as place:
        assert_same(write_lines(Path(place) / "in", *lines, drug, *again, line(patient())))
