"""Records as MEDS Parquet (Medical Event Data Standard), and back."""

from connectors.meds.export import write_meds
from connectors.meds.source import MedsSource

__all__ = ["MedsSource", "write_meds"]
