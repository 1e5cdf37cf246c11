"""UIDs that are always the same for the same thing, so that what is written twice is known to be one."""

from __future__ import annotations

import hashlib
import uuid


def derived_uid(*parts: str) -> str:
    """A DICOM UID that is always the same for the same parts (2.25 form, PS3.5 annex B.2).

    Args:
        parts: What names the thing, the most general first: the cohort, the image, "study" or "series".
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]
    return f"2.25.{uuid.UUID(bytes=digest, version=5).int}"
