"""Imaging evidence: frontal films as sums over regions, with what changed since the film before."""

from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.fitting import fit_imaging, imaging_fitting
from prognosis.evidence.imaging.model import EvidenceMap, ImagingEvidence
from prognosis.evidence.imaging.reading import ImagesRead, read_images
from prognosis.evidence.imaging.storage import load_imaging

__all__ = [
    "EvidenceMap",
    "ImagesRead",
    "ImagingConfig",
    "ImagingEvidence",
    "fit_imaging",
    "imaging_fitting",
    "load_imaging",
    "read_images",
]
