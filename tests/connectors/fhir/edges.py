"""Resources at the edges of the mapping: each is either a fact, or has a reason not to be."""

from tests.connectors.fhir.resources import CRP, MG_PER_L, UCUM, Resource, about_victim, patient

TIME = "2020-03-01T07:00:00Z"
ICD = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J18.9", "display": "Pneumonia"}]}

VALUES: list[Resource] = [
    {"valueQuantity": {"value": 7.25, **MG_PER_L}},
    {"valueQuantity": {"value": 3, "comparator": "<", **MG_PER_L}},
    {"valueQuantity": {"value": 3, "comparator": "ad", **MG_PER_L}},
    {"valueQuantity": {"value": 1e400, **MG_PER_L}},
    {"valueQuantity": {"value": 1.5e3, **MG_PER_L}},
    {"valueQuantity": {"value": "7.25", **MG_PER_L}},
    {"valueQuantity": {"value": 0.1234567890123456789, **MG_PER_L}},
    {"valueQuantity": {"value": 4, "unit": "mmol/L"}},
    {"valueQuantity": {"value": 4, "unit": "apples"}},
    {"valueQuantity": {"value": 4}},
    {"valueQuantity": {"unit": "mmol/L"}},
    {"valueQuantity": {"value": 4, **MG_PER_L, "extension": [{"url": "x"}]}},
    {"valueQuantity": None, "valueCodeableConcept": {"text": "positive"}},
    {"valueQuantity": None, "valueCodeableConcept": {"coding": [{"code": "a"}]}},
    {"valueQuantity": None, "valueCodeableConcept": {"coding": [{"code": "a"}, {"display": "B"}]}},
    {"valueQuantity": None, "valueCodeableConcept": {}},
    {"valueQuantity": None, "valueCodeableConcept": {"coding": []}},
    {"valueQuantity": None, "valueString": "größer als π \u2265"},
    {"valueQuantity": None, "valueString": "\u00a0"},
    {"valueQuantity": None, "valueString": "tab\tquote\" back\\slash"},
    {"valueQuantity": None, "valueBoolean": False},
    {"valueQuantity": None, "valueInteger": 7},
    {"valueQuantity": None, "valueDateTime": "2020"},
    {"valueQuantity": None, "valueTime": "12:00:00"},
    {"valueQuantity": None, "valueRange": {"low": {"value": 1}}},
    {"valueQuantity": None, "valueFoo": 1},
    {"valueQuantity": None, "dataAbsentReason": CRP},
    {"dataAbsentReason": CRP},
    {"component": [{"code": CRP, "valueInteger": 0, "dataAbsentReason": CRP}]},
    {"valueQuantity": None},
    {"valueQuantity": None, "hasMember": [{"reference": "Observation/x"}]},
    {"valueString": "two values"},
    {"extension": [{"url": "urn:prognosis:text", "valueString": "beside"}]},
    {"code": {"text": "free text"}},
    {"code": {"coding": [{"system": "local", "code": "c"}, *CRP["coding"]]}},
    {"code": {"coding": [{"system": "local", "code": "c"}, {"system": "local", "code": "d"}]}},
    {"code": {"coding": [{"system": "local"}, *CRP["coding"]]}},
    {"code": {"coding": [{"code": "bare"}]}},
    {"code": {"coding": [{"system": "urn:prognosis:code:own%20system", "code": "a%2Fb"}]}},
    {"code": {"coding": [{"system": "urn:prognosis:code:own", "code": "a"}]}},
    {"component": [{"code": CRP, "valueQuantity": {"value": 1, **MG_PER_L}}, {"code": CRP}]},
    {"valueQuantity": None, "component": [{"code": CRP, "valueQuantity": {"value": 1, **MG_PER_L}}]},
    {"valueQuantity": None, "component": [{"code": CRP, "dataAbsentReason": CRP}]},
    {"component": [{"code": CRP, "valueQuantity": {"value": 1}}]},
    {"component": []},
    {"identifier": [{"system": "urn:prognosis:answer", "value": "a"}]},
    {"identifier": [{"system": "urn:lab", "value": "a"}]},
]  # fmt: skip
TIMES: list[Resource] = [
    {"issued": text, **more}
    for text in (
        *("2020-03-01T09:00:00Z", "2020-03-01T09:00:00.1234+05:30", "2020-03-01T09:00:00.123456789Z"),
        *("2020-03-01", "2020-03", "2020", "2020-02-30", "2020-03-01T24:00:00Z", "2020-03-01T09:00:60Z"),
        *(
            "2020-03-01T09:00:00",
            "2020-03-01T09:00Z",
            "1849-12-31",
            "2251-01-01",
            "2020-03-01T09:00:00+14:30",
        ),
        *("2019-12-31T23:59:59-12:00", None, " ", 5),
    )
    for more in (
        {},
        {"effectiveDateTime": None},
        {"effectiveDateTime": "2020-03-02"},
        {"effectiveDateTime": None, "effectivePeriod": {"start": TIME, "end": "2020-03-05"}},
        {"effectiveDateTime": None, "effectivePeriod": {"end": "2020-03-05"}},
    )
]
SUBJECTS: list[Resource] = [
    {"subject": {"reference": reference}}
    for reference in (
        *("https://ehr.example/fhir/Patient/victim", "Patient/victim/_history/2", "Patient/nobody"),
        *("Group/victim", "urn:uuid:1", "#victim", "victim", "patient/victim"),
    )
]
OTHERS: list[Resource] = [
    about_victim("Encounter", status="finished", period=period, **{"class": kind}, **more)
    for period in (
        {"start": TIME, "end": "2020-03-02T07:00:00Z"},
        {"start": "2020-03-01", "end": "2020-03-01T10:00:00Z"},
        {"start": "2020-03-02", "end": "2020-03-01"},
        {"end": "2020-03-01"},
        {"start": TIME},
        {},
    )
    for kind in ({"code": "IMP", "display": "inpatient"}, {"display": "no code"})
    for more in (
        {},
        {"type": [{"coding": [{"code": "x"}, {"code": "y", "display": "Medical Intensive Care"}]}]},
        {"extension": [{"url": "urn:prognosis:end-display", "valueString": "left"}]},
    )
]
OTHERS += [
    about_victim("Condition", code=ICD, **more)
    for more in (
        {"recordedDate": TIME},
        {"onsetDateTime": "2020-01-01"},
        {"recordedDate": "2020-01-01", "onsetPeriod": {"start": "2019-05-05"}},
        {"recordedDate": TIME, "verificationStatus": {"coding": [{"code": "refuted"}]}},
        *(
            {"recordedDate": TIME, "verificationStatus": {"coding": [{"code": code} for code in codes]}}
            for codes in (["confirmed"], ["ruled-out"], ["x", "confirmed"], ["confirmed", "refuted"], [])
        ),
        {"recordedDate": TIME, "verificationStatus": {"text": "refuted"}},
        {"onsetString": "long ago"},
    )
]
OTHERS += [
    about_victim("Procedure", code=ICD, **more)
    for more in (
        {"status": "completed", "performedDateTime": TIME},
        {"status": "not-done", "performedDateTime": TIME},
        {"status": "completed"},
        {"status": "finished", "performedDateTime": TIME},
    )
]
OTHERS += [
    about_victim("MedicationRequest", **{"status": "active", "intent": "order", "authoredOn": TIME, **more})
    for more in (
        {"medicationCodeableConcept": ICD},
        *({"medicationCodeableConcept": ICD, "intent": each} for each in ("plan", "option", "wish", None)),
        {"medicationCodeableConcept": ICD, "doNotPerform": True},
        {"medicationReference": {"reference": "Medication/aspirin"}},
        {"medicationReference": {"reference": "https://x/y/Medication/aspirin/_history/1"}},
        {"medicationReference": {"reference": "Medication/aspirin"}, "authoredOn": None},
        {"medicationReference": {"reference": "Medication/aspirin"}, "authoredOn": "2020-02"},
        {"medicationReference": {"reference": "Medication/missing"}},
        {"medicationReference": {"reference": "Medication/uncoded"}},
        {"medicationReference": {"display": "aspirin"}},
        {"medicationReference": {"reference": "#m"}, "contained": [{"id": "m", "code": ICD}]},
    )
]
OTHERS += [
    about_victim("MedicationAdministration", status="completed", effectiveDateTime=TIME, **more)
    for more in (
        {"medicationCodeableConcept": ICD, "dosage": {"dose": {"value": 5, "system": UCUM, "code": "mg"}}},
        {"medicationCodeableConcept": ICD, "dosage": {"dose": {"value": 5}}},
        {"medicationReference": {"reference": "Medication/aspirin"}, "dosage": {"text": "as needed"}},
    )
]
DRUGS = [
    {"resourceType": "Medication", "id": "aspirin", "code": ICD},
    {"resourceType": "Medication", "id": "uncoded", "code": {"text": "?"}},
]
PEOPLE = [
    patient("full", gender="female", managingOrganization={"reference": "Organization/o", "display": "O"}),
    patient("site", managingOrganization={"reference": "https://x/Organization/o"}),
    patient("named", managingOrganization={"display": "North"}),
    patient("unlisted", managingOrganization={"reference": "Organization/unlisted"}),
    patient("dead", deceasedDateTime="2020-03-01"),
    patient("later", deceasedDateTime="2020-01-01T00:00:00Z"),
    patient("undated", deceasedBoolean=True),
    patient("alive", deceasedBoolean=False, gender="unknown"),
    patient("odd", gender="divers"),
    patient("year", birthDate="1950"),
    patient("born-late", birthDate="2015-01-01", deceasedDateTime="2014-01-01"),
    patient("same-id", identifier=[{"system": "urn:prognosis:patient-id", "value": "same-id"}]),
    patient("other-id", identifier=[{"system": "urn:prognosis:patient-id", "value": "unlike it"}]),
    patient("own", identifier=[{"system": "urn:prognosis:patient-id", "value": "Ward 7 / 3"}]),
    patient("twin-a", identifier=[{"system": "urn:prognosis:patient-id", "value": "same"}]),
    patient("twin-b", identifier=[{"system": "urn:prognosis:patient-id", "value": "same"}]),
    patient("old", link=[{"type": "replaced-by", "other": {"reference": "Patient/new"}}]),
    patient("new"),
    patient("loop-a", link=[{"type": "replaced-by", "other": {"reference": "Patient/loop-b"}}]),
    patient("loop-b", link=[{"type": "replaced-by", "other": {"reference": "Patient/loop-a"}}]),
    patient("changed"),
    patient("changed", gender="male"),
    {"resourceType": "Organization", "id": "o", "name": "Hospital"},
]
