"""Readers of public cohorts: chest films with tables, image archives, and any table of survival times."""

from connectors.datasets.columns import OutcomeColumns, TableColumns
from connectors.datasets.covid import CovidCxr
from connectors.datasets.hannover import HannoverCxr
from connectors.datasets.package import PackageTable
from connectors.datasets.pneumonia import ImageArchive
from connectors.datasets.table import TableFile

__all__ = [
    "CovidCxr",
    "HannoverCxr",
    "ImageArchive",
    "OutcomeColumns",
    "PackageTable",
    "TableColumns",
    "TableFile",
]
