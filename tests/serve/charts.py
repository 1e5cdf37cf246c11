"""What an EHR would send of a simulated patient."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.simulated import Simulated

EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def whole_chart(small: Simulated, patient: str, keys: Iterable[str]) -> dict[str, Any]:
    """The prefetch of a patient from the files of the export; types that it has none of are empty Bundles."""
    found: dict[str, Any] = {}
    for path in small.folder.rglob("*.ndjson"):
        resources = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if path.stem == "Patient":
            found["patient"] = next(each for each in resources if each["id"] == patient)
            continue
        own = [each for each in resources if f"Patient/{patient}" in json.dumps(each)]
        entries = [{"resource": each} for each in own]
        key = path.stem[0].lower() + path.stem[1:]
        found[key] = {**EMPTY, "total": len(own), "entry": entries}
    return {key: found.get(key, EMPTY) for key in keys}
