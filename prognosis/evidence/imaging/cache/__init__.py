"""Studies encoded once: what a model's imaging evidence needs of each, kept on disk."""

from prognosis.evidence.imaging.cache.engines import known_engines
from prognosis.evidence.imaging.cache.studies import StudyCache, encoder_digest

__all__ = ["StudyCache", "encoder_digest", "known_engines"]
