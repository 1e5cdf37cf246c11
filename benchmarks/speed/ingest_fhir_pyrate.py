"""fhir-pyrate beside ours, in an interpreter of its own: it wants other versions of packages.

    python -m venv OTHER
    OTHER/bin/pip install fhir-pyrate==0.2.6

FHIR_PYRATE_PYTHON then names its interpreter, which runs this file: FOLDER. `lines.ndjson` in that folder
holds Observations; seconds and what was found are left there. Each of the three ways that its documentation
gives of making a DataFrame is timed from the text of Bundles of 100, as its client gets them from a server:
parsed with json, made an FHIRObj, given to Pirate.bundles_to_dataframe.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

A_BUNDLE = 100
WAYS = ("flatten_data", "fhir_paths", "a function of one's own")
_PATHS = [
    ("id", "id"),
    ("patient", "subject.reference"),
    ("issued", "issued"),
    ("code", "code.coding[0].code"),
    ("value", "valueQuantity.value"),
    ("unit", "valueQuantity.code"),
]


def _picked(bundle: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - an FHIRObj
    """The same elements by a processing function."""
    records = []
    for entry in bundle.entry or []:
        each = entry.resource
        coding, value = each.code.coding[0], each.valueQuantity
        records.append(
            {
                "id": each.id,
                "patient": each.subject.reference,
                "issued": each.issued,
                "code": coding.code,
                "value": value.value if value is not None else None,
                "unit": value.code if value is not None else None,
            }
        )
    return records


def main() -> None:
    """Time each way; count what it found and add the values up."""
    from importlib.metadata import version

    from fhir_pyrate import Pirate
    from fhir_pyrate.util import FHIRObj

    folder = Path(sys.argv[1])
    lines = (folder / "lines.ndjson").read_text(encoding="utf-8").splitlines()
    texts = [
        '{"resourceType":"Bundle","type":"searchset","entry":['
        + ",".join(f'{{"resource":{line}}}' for line in lines[first : first + A_BUNDLE])
        + "]}"
        for first in range(0, len(lines), A_BUNDLE)
    ]
    client = Pirate(base_url="http://127.0.0.1", auth=None, num_processes=1, silence_fhirpath_warning=True)
    asked: tuple[dict[str, Any], ...] = ({}, {"fhir_paths": _PATHS}, {"process_function": _picked})
    seconds, found = {}, {}
    for way, options in zip(WAYS, asked, strict=True):
        started = time.process_time()
        bundles = [FHIRObj(**json.loads(text)) for text in texts]
        table = client.bundles_to_dataframe(bundles, **options)
        seconds[way] = time.process_time() - started
        value = "valueQuantity_value" if way == WAYS[0] else "value"
        found[way] = [len(table), float(table[value].dropna().sum())]
    versions = f"fhir-pyrate {version('fhir-pyrate')}"
    (folder / "found.json").write_text(json.dumps({"seconds": seconds, "found": found, "versions": versions}))


if __name__ == "__main__":
    main()
