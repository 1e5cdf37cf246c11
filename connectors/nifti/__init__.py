"""NIfTI files in folders by patient and date, as studies with volumes."""

from connectors.nifti.folder import NiftiFolder

__all__ = ["NiftiFolder"]
