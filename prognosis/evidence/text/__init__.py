"""Text evidence: notes as sentences, read by their terms and by an encoder."""

from prognosis.evidence.text.config import TextConfig
from prognosis.evidence.text.fit import fit_text, text_fitting
from prognosis.evidence.text.model import TextEvidence
from prognosis.evidence.text.storage import load_text

__all__ = ["TextConfig", "TextEvidence", "fit_text", "load_text", "text_fitting"]
