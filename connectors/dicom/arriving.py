"""Where studies lie while they arrive: beside those that are whole, and never read as such."""

from __future__ import annotations

from pathlib import Path

ARRIVING = ".arriving"
"""The folder, below that of the whole studies, of those that are still being received."""


def arriving_studies(root: Path) -> int:
    """How many studies below a folder are still being received."""
    place = root / ARRIVING
    return sum(each.is_dir() for each in place.iterdir()) if place.is_dir() else 0
