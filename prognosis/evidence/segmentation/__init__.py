"""Segmentation: which voxels belong to which structure, and what they measure."""
