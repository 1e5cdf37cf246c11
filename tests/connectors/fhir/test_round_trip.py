"""What is written as Bulk NDJSON is read back as the same record, and every line is valid FHIR R4."""

import importlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import fhirkit
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.fhir import FhirFolder, write_bulk
from prognosis.errors import MappingError, SourceError
from prognosis.record import Code, Event, ImagingStudy, Note, PatientRecord, Quarantine, Series
from prognosis.record.patient import sorted_record

LOINC = "http://loinc.org"
T = datetime(2020, 3, 1, 8, 30, 15, 123456, tzinfo=UTC)

_words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
_ids = st.text("ABCabc019-.", min_size=1, max_size=20)
_times = st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_systems = st.sampled_from([LOINC, "http://snomed.info/sct", "MEDS", "diagnosis of the site", "urn:x:y", ""])
_codes = st.builds(Code, _systems, _words | st.sampled_from(["a  b", " a", "50%25", "a|b"]))
_numbers = st.floats(allow_nan=False, allow_infinity=False)


def _sourced(kind: str, events: st.SearchStrategy[Event]) -> st.SearchStrategy[Event]:
    return st.builds(lambda event, name: replace(event, source=f"{kind}/{name}"), events, _ids)


_coded = st.builds(Event, time=_times, code=_codes, display=_words | st.just(""))
_measured = st.builds(
    Event,
    time=_times,
    code=_codes,
    number=_numbers,
    comparator=st.sampled_from([None, "<", "<=", ">=", ">"]),
    unit=st.sampled_from([None, "mg/L", "10*3/uL", "{odd unit}"]).map(
        lambda unit: unit and unit.replace(" ", "-")
    ),
    text=st.none() | _words,
    display=_words | st.just(""),
)
_texts = st.builds(Event, time=_times, code=_codes, text=_words, display=_words | st.just(""))
_doses = st.builds(Event, time=_times, code=_codes, number=_numbers, unit=st.just("mg"))
_PLAIN = ("Condition", "MedicationRequest", "Procedure", "MedicationStatement", "Immunization")
_KINDS = {"AllergyIntolerance": "Allergy", "FamilyMemberHistory": "Family history", "CarePlan": "Care plan"}
_SYSTEM_KINDS = dict(zip(_KINDS, ("allergy", "family-history", "care-plan"), strict=True))


def _of_kind(kind: str) -> st.SearchStrategy[Event]:
    def named(event: Event) -> Event:
        display = f"{_KINDS[kind]}: {event.display}" if event.display else ""
        code = Code(f"{_SYSTEM_KINDS[kind]}|{event.code.system}", event.code.value)
        return replace(event, code=code, display=display)

    return _sourced(kind, _coded.map(named))


_events = st.one_of(
    _sourced("Observation", _coded | _measured | _texts),
    *(_sourced(kind, _coded) for kind in _PLAIN),
    *(_of_kind(kind) for kind in _KINDS),
    _sourced("MedicationAdministration", _coded | _doses),
)


@st.composite
def _stays(draw: st.DrawFn) -> list[Event]:
    kind = draw(st.sampled_from(["IMP", "AMB", "EMER", "ICU", "of the site"]))
    source, display = f"Encounter/{draw(_ids)}", draw(_words | st.just(""))
    start = draw(_times)
    end = start + draw(st.timedeltas(timedelta(0), timedelta(days=400)))
    events = [
        Event(start, Code("encounter-start", kind), source=source, display=display),
        Event(
            end,
            Code("encounter-end", kind),
            source=source,
            display=draw(_words) if display else "",
        ),
    ]
    return draw(st.sampled_from([events, events[:1], events[1:]]))


_notes = st.builds(
    Note,
    time=_times,
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    kind=_words | st.just(""),
    source=st.builds(
        lambda kind, name: f"{kind}/{name}", st.sampled_from(["DocumentReference", "DiagnosticReport"]), _ids
    ),
)
_series = st.builds(
    Series,
    series_uid=_ids,
    modality=st.sampled_from(["", "CR", "DX", "CT"]),
    view=st.sampled_from(["", "AP", "PA", "LL", "odd view"]),
    body_part=_words | st.just(""),
)
_studies = st.builds(
    ImagingStudy,
    time=_times,
    study_uid=st.sampled_from(["1.2.840.1", "2.25.77", "film-3", "a film"]),
    series=st.lists(_series, max_size=3).map(tuple),
    source=_ids.map("ImagingStudy/{}".format),
)


@st.composite
def _records(draw: st.DrawFn) -> PatientRecord:
    """A record whose sources are valid, each used once, and whose facts fit a life."""
    patient_id = draw(_ids | _words)
    stays = draw(st.lists(_stays(), max_size=2, unique_by=lambda stay: stay[0].source))
    events = draw(st.lists(_events, max_size=6, unique_by=lambda event: event.source))
    return sorted_record(
        PatientRecord(
            patient_id=patient_id,
            birth_date=draw(st.none() | st.dates(date(1850, 1, 1), date(1899, 12, 31))),
            sex=draw(st.sampled_from([None, "female", "male", "other"])),
            events=(*events, *(event for stay in stays for event in stay)),
            notes=tuple(draw(st.lists(_notes, max_size=3, unique_by=lambda note: note.source))),
            studies=tuple(draw(st.lists(_studies, max_size=2, unique_by=lambda study: study.source))),
            site=draw(_words | st.just("")),
        )
    )


def _read(folder: Path) -> tuple[list[PatientRecord], Quarantine]:
    quarantine = Quarantine()
    return list(FhirFolder(folder, f"fhir-folder:{folder}").records(quarantine)), quarantine


def _check_validity(folder: Path) -> None:
    for path in folder.glob("*.ndjson"):
        module = importlib.import_module(f"fhir.resources.R4B.{path.stem.lower()}")
        for line in path.read_text(encoding="utf-8").splitlines():
            errors = [issue for issue in fhirkit.validate(line) if issue.severity in ("error", "fatal")]
            assert not errors, (line, errors)
            getattr(module, path.stem).model_validate_json(line)


def _without_sources(record: PatientRecord) -> Iterable[object]:
    facts = (*record.events, *record.notes, *record.studies)
    return sorted(repr(replace(fact, source="")) for fact in facts)


@settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))
@given(record=_records())
def test_a_written_record_is_read_back_equal_and_every_line_is_valid_fhir(record: PatientRecord) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = write_bulk([record], Path(folder))
        read, quarantine = _read(Path(folder))
        assert read == [record]
        assert not list(quarantine)
        assert sum(quarantine.accepted.values()) == sum(written.values())
        _check_validity(Path(folder))


def test_a_death_becomes_deceased_date_time_and_comes_back_to_the_microsecond(tmp_path: Path) -> None:
    death = Event(T, Code("MEDS", "MEDS_DEATH"), source="Patient/p", display="Death")
    record = PatientRecord("p", events=(death,))
    write_bulk([record], tmp_path)
    assert (
        json.loads((tmp_path / "Patient.ndjson").read_text())["deceasedDateTime"]
        == "2020-03-01T08:30:15.123456Z"
    )
    assert _read(tmp_path)[0] == [record]


def test_a_result_released_after_death_does_not_undo_the_death(tmp_path: Path) -> None:
    death = Event(T, Code("MEDS", "MEDS_DEATH"), source="Patient/p", display="Death")
    culture = Event(T + timedelta(days=5), Code(LOINC, "600-7"), text="no growth", source="Observation/c")
    record = PatientRecord("p", events=(death, culture))
    write_bulk([record], tmp_path)
    read, quarantine = _read(tmp_path)
    assert read == [record]
    assert len(quarantine) == 0


def test_results_of_one_panel_stay_one_observation(tmp_path: Path) -> None:
    pressures = tuple(
        Event(T, Code(LOINC, code), number, unit="mm[Hg]", source="Observation/bp", display=name)
        for code, number, name in (("8462-4", 71.0, "Diastolic"), ("8480-6", 128.0, "Systolic"))
    )
    record = PatientRecord("p", events=pressures)
    assert write_bulk([record], tmp_path)["Observation"] == 1
    assert _read(tmp_path)[0] == [record]
    _check_validity(tmp_path)


def test_conditions_of_one_relative_stay_one_resource_and_never_become_the_patient_s(tmp_path: Path) -> None:
    relative = tuple(
        Event(T, Code(f"family-history|{LOINC}", code), source="FamilyMemberHistory/f", display=name)
        for code, name in (("1", "Family history: Asthma"), ("2", ""))
    )
    record = PatientRecord("p", events=relative)
    assert write_bulk([record], tmp_path) == {"Patient": 1, "FamilyMemberHistory": 1}
    assert _read(tmp_path)[0] == [record]
    _check_validity(tmp_path)
    strange = replace(relative[0], text="certain", source="", display="Asthma of the father")
    assert set(write_bulk([PatientRecord("p", events=(strange,))], tmp_path)) == {"Patient", "Observation"}
    (read,), _ = _read(tmp_path)
    assert _without_sources(read) == _without_sources(PatientRecord("p", events=(strange,)))


def test_facts_without_a_citable_source_get_one_and_keep_everything_else(tmp_path: Path) -> None:
    stay = [Event(T, Code(f"encounter-{end}", "ICU"), source="data.csv row 1") for end in ("start", "end")]
    value = Event(T, Code("site", "crp"), 5.5, "<", "mg/L", source="data.csv row 1")
    record = PatientRecord(
        "p/1",
        events=(*stay, value, Event(T, Code("site", "flag")), Event(T, Code("site", "flag"), text="yes")),
        notes=(Note(T, "Lungs clear.", "report", "notes.txt"),),
        studies=(ImagingStudy(T, "1.2.3", (Series("1.2.3.4", "DX", "AP", "CHEST"),)),),
        site="Hannover",
    )
    written = write_bulk([record], tmp_path)
    assert written["Encounter"] == 1
    (read,), quarantine = _read(tmp_path)
    assert (read.key, len(quarantine)) == ("Hannover/p/1", 0)
    assert _without_sources(read) == _without_sources(record)
    assert read.studies[0].source == "ImagingStudy/1.2.3"
    _check_validity(tmp_path)


def test_the_same_patient_id_at_two_sites_stays_two_patients(tmp_path: Path) -> None:
    records = [
        PatientRecord(
            "1",
            events=(Event(T, Code(LOINC, "1988-5"), 5.0, unit="mg/L", source="Observation/1"),),
            site=site,
        )
        for site in ("Aachen", "Bonn")
    ]
    write_bulk(records, tmp_path)
    read, quarantine = _read(tmp_path)
    assert [record.key for record in read] == ["Aachen/1", "Bonn/1"]
    assert [record.events[0].number for record in read] == [5.0, 5.0]
    assert read[0] == records[0]
    assert len(quarantine) == 0


def test_writing_twice_gives_the_same_bytes_and_leaves_no_stale_file(tmp_path: Path) -> None:
    full = PatientRecord("p", events=(Event(T, Code("site", "x"), 1.0, unit="1"),), notes=(Note(T, "text"),))
    write_bulk([full], tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_bulk([full], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    write_bulk([PatientRecord("p")], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["Patient.ndjson"]


@pytest.mark.parametrize(
    "event",
    [
        Event(T, Code(LOINC, "1988-5"), float("inf"), unit="mg/L", source="Observation/a"),
        Event(T, Code(LOINC, "1988-5"), 1.0, unit="mg per L", source="Observation/a"),
        Event(T, Code(LOINC, ""), 1.0, unit="mg/L", source="Observation/a"),
        Event(T, Code(LOINC, "1988-5"), text=" ", source="Observation/a"),
        Event(T, Code(LOINC, "1988-5"), text="\ud800", source="Observation/a"),
    ],
    ids=["infinite number", "unit that is not UCUM", "empty code", "blank text", "lone surrogate"],
)
def test_what_fhir_cannot_say_is_refused_and_the_earlier_export_kept(tmp_path: Path, event: Event) -> None:
    write_bulk([PatientRecord("earlier")], tmp_path)
    with pytest.raises(MappingError):
        write_bulk([PatientRecord("p", events=(event,))], tmp_path)
    assert [record.patient_id for record in _read(tmp_path)[0]] == ["earlier"]
    assert [path.name for path in tmp_path.iterdir()] == ["Patient.ndjson"]


def test_an_export_never_mixes_with_files_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "Claim.ndjson").write_text("{}\n")
    with pytest.raises(SourceError, match=r"Claim\.ndjson"):
        write_bulk([PatientRecord("p")], tmp_path)
