"""`prognosis risk`: one patient's answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from prognosis.cli.risk import near_ids
from prognosis.cohort import Case
from prognosis.prediction import predict_cases
from tests.cli.program import Program, Ran
from tests.simulated import Simulated


@pytest.fixture
def case(small: Simulated) -> Case:
    return small.complete[0]


@pytest.fixture
def risk(prognosis: Program, small: Simulated) -> object:
    def asked(patient: str, *more: object) -> Ran:
        named = [word for uri in small.uris for word in ("--source", uri)]
        return prognosis("risk", patient, "--model", small.model_folder, *named, *more)

    return asked


def test_the_answer_is_the_model_s_own_with_its_receipt(risk, small: Simulated, case: Case) -> None:
    ran = risk(case.record.patient_id, "--json")
    assert ran.status == 0
    expected = predict_cases(small.model, [case])[0]
    stated = ran.stated
    assert stated["index_time"] == case.index_time.isoformat()
    assert [(r["cause"], r["days"]) for r in stated["risks"]] == [(r.cause, r.days) for r in expected.risks()]
    for told, meant in zip(stated["risks"], expected.risks(), strict=True):
        assert told["low"] <= told["probability"] <= told["high"]
        assert told["probability"] == pytest.approx(meant.probability, abs=1e-6)
    assert stated["modalities_used"] == list(small.model.modalities)
    assert stated["modalities_missing"] == {}


def test_contributions_add_up_and_every_driver_cites_its_source(risk, case: Case) -> None:
    for explanation in risk(case.record.patient_id, "--json").stated["explanations"]:
        whole = explanation["base"] + sum(d["contribution"] for d in explanation["drivers"])
        assert whole + explanation["rest"] == pytest.approx(explanation["total"], abs=1e-6)
        assert explanation["receipt"]["max_additivity_error"] <= 1e-6
        assert all(driver["source"] for driver in explanation["drivers"])
        assert all(driver["time"] <= case.index_time.isoformat() for driver in explanation["drivers"])


def test_on_the_scale_of_probability_drivers_add_up_to_the_risk_by_the_horizon(risk, case: Case) -> None:
    stated = risk(
        case.record.patient_id, "--json", "--top", 500, "--scale", "probability", "--horizon-days", 365
    ).stated
    told = {risk["cause"]: risk["probability"] for risk in stated["risks"] if risk["days"] == 365}
    for explanation in stated["explanations"]:
        assert explanation["scale"] == "probability"
        assert explanation["horizon_days"] == 365
        assert explanation["total"] == pytest.approx(told[explanation["cause"]], abs=1e-6)
        whole = explanation["base"] + sum(d["contribution"] for d in explanation["drivers"])
        assert whole + explanation["rest"] == pytest.approx(explanation["total"], abs=1e-6)
        receipt, away = explanation["receipt"], abs(explanation["total"] - explanation["base"])
        assert receipt["coalitions"] == 2 ** len(explanation["groups"])
        assert receipt["standard_error"] <= max(0.01 * away, 1e-5)
        groups = sum(group["contribution"] for group in explanation["groups"])
        assert groups == pytest.approx(explanation["total"] - explanation["base"], abs=1e-6)


def test_a_probability_s_receipt_is_on_the_page_and_on_the_terminal(risk, case: Case, tmp_path: Path) -> None:
    ran = risk(case.record.patient_id, "--scale", "probability", "--report", tmp_path / "page.html")
    assert "probability by 2 years" in " ".join(ran.out.split())
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for told in (" ".join(ran.out.split()), page):
        assert "coalitions and" in told
        assert "permutations evaluated" in told
    assert "By group, each exact" in page


def test_a_scale_or_a_horizon_that_cannot_be_is_refused(risk, case: Case) -> None:
    patient = case.record.patient_id
    assert "log_hazard or probability" in risk(patient, "--scale", "odds").err
    assert "add --scale probability" in risk(patient, "--horizon-days", 90).err
    assert "outside" in risk(patient, "--scale", "probability", "--horizon-days", 90000).err


def test_the_terminal_shows_horizons_drivers_and_what_the_answer_rests_on(risk, case: Case) -> None:
    ran = risk(case.record.patient_id, "--top", 3)
    assert ran.status == 0
    for words in (
        "What drives progression",
        "additivity error",
        "rests on: clinical, text, imaging",
        "180 days",
    ):
        assert words in ran.out, words


def test_what_is_missing_is_named(risk, small: Simulated) -> None:
    without = next(case for case in small.cohort.cases if not case.record.studies)
    stated = risk(without.record.patient_id, "--json").stated
    assert "imaging" in stated["modalities_missing"]
    assert "imaging" not in stated["modalities_used"]
    assert "missing: " in risk(without.record.patient_id).out


def test_an_earlier_time_is_answered_from_what_was_known_then(risk, case: Case) -> None:
    first = min(event.time for event in case.record.events)
    stated = risk(case.record.patient_id, "--at", first.isoformat(), "--json").stated
    assert stated["index_time"] == first.isoformat()
    known = case.record.as_of(first)
    assert ("text" in stated["modalities_used"]) <= bool(known.notes)
    assert ("imaging" in stated["modalities_used"]) <= bool(known.studies)


def test_a_time_without_a_zone_is_read_as_utc(risk, case: Case) -> None:
    told = case.index_time.replace(tzinfo=None).isoformat()
    assert risk(case.record.patient_id, "--at", told, "--json").stated["index_time"].endswith("+00:00")


def test_the_patient_s_page_is_one_file_that_loads_nothing(risk, case: Case, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "patient.html"
    ran = risk(case.record.patient_id, "--report", page, "--json")
    assert ran.status == 0
    assert str(page) in ran.prose.replace(" ", "")
    written = page.read_text(encoding="utf-8")
    assert case.record.patient_id in written
    assert "data:image/png;base64," in written
    assert not [word for word in ('src="http', "src='http", "@import", "<script src") if word in written]


def test_an_unknown_id_suggests_those_that_are_near(risk, case: Case) -> None:
    ran = risk(case.record.patient_id + "x", "--json")
    assert (ran.status, ran.out) == (2, "")
    assert f"did you mean {case.record.patient_id}" in ran.prose


def test_of_equally_near_ids_the_first_in_order_are_suggested() -> None:
    ids = [f"sim0-{place:05d}" for place in reversed(range(800))]
    assert near_ids("sim0-0007", ids) == ["sim0-00007", "sim0-00017", "sim0-00027"]


def test_an_id_like_no_other_says_what_to_check(risk) -> None:
    ran = risk("zzzzzz")
    assert ran.status == 2
    assert "check the id and the sources" in ran.prose


def test_a_time_that_is_none_is_refused_with_an_example(risk, case: Case) -> None:
    ran = risk(case.record.patient_id, "--at", "last Tuesday")
    assert ran.status == 2
    assert "--at last Tuesday: is not a time; write it as 2020-03-02T12:00:00Z" in ran.prose


def test_how_long_the_patient_stays_free_of_events_is_stated_everywhere(
    risk, small: Simulated, case: Case, tmp_path: Path
) -> None:
    page = tmp_path / "patient.html"
    ran = risk(case.record.patient_id, "--json", "--report", page)
    stated = ran.stated["free_for"]
    expected = predict_cases(small.model, [case])[0].free_for
    assert [(b["event"], b["level"]) for b in stated] == [(b.event, b.level) for b in expected]
    assert [b["days"] for b in stated] == pytest.approx([b.days for b in expected])
    assert "With 90% confidence" in page.read_text(encoding="utf-8")
    assert "With 90% confidence" in risk(case.record.patient_id).out


def test_what_changed_since_a_date_adds_up_and_cites_its_sources(risk, case: Case, tmp_path: Path) -> None:
    since = (case.index_time - timedelta(days=40)).isoformat()
    ran = risk(case.record.patient_id, "--json", "--top", 500, "--since", since)
    for changed in ran.stated["changes"]:
        moved = changed["recalibration"] + sum(each["contribution"] for each in changed["changes"])
        assert moved + changed["rest"] == pytest.approx(changed["after"] - changed["before"], abs=1e-6)
        assert changed["max_additivity_error"] <= 1e-6
        assert {each["kind"] for each in changed["changes"]} <= {"new", "changed", "aged", "gone"}
        assert any(each["kind"] == "new" and each["source"] for each in changed["changes"])
    told = risk(case.record.patient_id, "--since", since, "--report", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for text in (" ".join(told.out.split()), page):
        assert "What changed for progression since" in text
        assert "which modalities there were to be read" in text
    assert "not before" in risk(case.record.patient_id, "--since", case.index_time.isoformat()).err
    assert "is not a time" in risk(case.record.patient_id, "--since", "lately").err
