"""Units as senders spell them, and numbers moved from one unit to another."""

from prognosis.record.units.conversion import Refusal, UnitChange, is_ucum, unit_change
from prognosis.record.units.spelling import spelled
from prognosis.record.units.substances import Substance, substance_of

__all__ = ["Refusal", "Substance", "UnitChange", "is_ucum", "spelled", "substance_of", "unit_change"]
