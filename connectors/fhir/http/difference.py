"""Whether a server holds what was written: where two resources first differ, in elements and not in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from connectors.fhir.mapping_fields import Json

_SERVERS_OWN = frozenset({"meta", "text"})
"""Elements that a server writes by itself: versions and times, and a narrative."""

_CLOSE = 1e-12


def difference(written: Json, held: Json) -> str | None:
    """The first element in which they differ, "prediction.0.whenPeriod"; None where they say the same.

    What a server adds to `meta` and `text` is its own; labels that were written must be there. Numbers may
    differ in their last digits, since JSON's may be read as decimals or as floats.
    """
    labels = {_label(each) for each in _labels(held)}
    if any(_label(each) not in labels for each in _labels(written)):
        return "meta.security"
    return _first(_without(written), _without(held), "")


def _labels(resource: Json) -> list[Any]:
    meta = resource.get("meta")
    labels = meta.get("security") if isinstance(meta, Mapping) else None
    return labels if isinstance(labels, list) else []


def _label(label: object) -> tuple[object, object]:
    return (label.get("system"), label.get("code")) if isinstance(label, Mapping) else (None, None)


def _without(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name not in _SERVERS_OWN}


def _first(written: object, held: object, place: str) -> str | None:
    if isinstance(written, Mapping) and isinstance(held, Mapping):
        for name in sorted({*written, *held}):
            found = _first(written.get(name), held.get(name), f"{place}.{name}".lstrip("."))
            if found is not None:
                return found
        return None
    if isinstance(written, list) and isinstance(held, list):
        if len(written) != len(held):
            return place
        pairs = enumerate(zip(written, held, strict=True))
        return next((at for i, (a, b) in pairs if (at := _first(a, b, f"{place}.{i}")) is not None), None)
    return None if _equal(written, held) else place


def _equal(written: object, held: object) -> bool:
    if isinstance(written, bool) or isinstance(held, bool):
        return written is held
    if isinstance(written, int | float) and isinstance(held, int | float):
        return math.isclose(written, held, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return type(written) is type(held) and written == held
