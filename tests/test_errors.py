"""The error tree: every class by a real mistake, in both languages, and caught as the builtin that fits."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

import servicecircle.errors
from servicecircle._optional import import_optional
from servicecircle._validate import check_minutes, check_points
from servicecircle.errors import (
    ClusterError,
    CRSError,
    DownloadError,
    Fault,
    InfeasibleError,
    InputError,
    MissingPackageError,
    NetworkError,
    OutputError,
    ServiceCircleError,
    SolutionError,
    StudyError,
)
from servicecircle.model import Solution

TREE = {
    InputError: ValueError,
    CRSError: InputError,
    NetworkError: InputError,
    InfeasibleError: InputError,
    StudyError: InputError,
    SolutionError: RuntimeError,
    DownloadError: OSError,
    OutputError: OSError,
    ClusterError: RuntimeError,
    MissingPackageError: ImportError,
}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    classes = {c for c in vars(servicecircle.errors).values() if isinstance(c, type) and issubclass(c, Exception)}
    assert classes == {*TREE, ServiceCircleError}
    assert all(
        issubclass(error, parent) and issubclass(error, ServiceCircleError) for error, parent in TREE.items()
    )
    assert all(error.__name__ in (servicecircle.errors.__doc__ or "") for error in classes)


def test_a_message_is_told_in_both_languages_and_in_english_where_there_is_one_only() -> None:
    with pytest.raises(ValueError, match="must ascend") as raised:
        check_minutes([15, 10])
    assert isinstance(raised.value, InputError)
    assert (raised.value.told("en"), "从小到大" in raised.value.told("zh")) == (str(raised.value), True)
    assert InputError("no").told("zh") == "no"


def test_a_frame_without_crs_is_a_crs_error() -> None:
    with pytest.raises(CRSError, match="`stations` states no CRS"):
        check_points(gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)]), "stations")


def test_a_solution_better_than_its_bound_is_a_solution_error() -> None:
    with pytest.raises(SolutionError, match="better than `bound`"):
        Solution(np.array([0]), objective=2.0, bound=1.0, sense="max", status="feasible", seconds=0.0)


def test_a_package_that_is_not_there_is_told_with_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install 'servicecircle\[cluster\]'") as raised:
        import_optional("no_such_package_at_all", extra="cluster")
    assert isinstance(raised.value, MissingPackageError)
    assert "请安装" in raised.value.zh
    assert import_optional("json", extra="cluster").dumps([1]) == "[1]"


@pytest.mark.parametrize("error", [DownloadError, OutputError])
def test_errors_of_the_system_keep_their_message_in_both_languages(error: type[ServiceCircleError]) -> None:
    told = error("the disk is full.", zh="磁盘已满。")
    assert (str(told), told.told("en"), told.told("zh")) == ("the disk is full.", "the disk is full.", "磁盘已满。")


@pytest.mark.parametrize(
    ("fault", "en", "zh"),
    [
        (Fault("x", "错"), "x", "错"),
        (Fault("x", "错", file="a.csv"), "a.csv: x", "a.csv：错"),
        (
            Fault("x", "错", file="a.csv", row=3, column="经度"),
            "a.csv, row 3, column `经度`: x",
            "a.csv，第 3 行，“经度”：错",
        ),
        (Fault("x", "错", file="a.xlsx", sheet="表1", row=0), "a.xlsx, 表1, row 0: x", "a.xlsx，表1，第 0 行：错"),
        (Fault("x", "错", column="minutes"), "column `minutes`: x", "“minutes”：错"),
    ],
)
def test_a_fault_tells_its_place_and_its_message_in_one_line(fault: Fault, en: str, zh: str) -> None:
    assert (fault.told("en"), fault.told("zh")) == (en, zh)


def test_a_study_error_tells_every_fault_on_its_own_line() -> None:
    faults = [Fault("one", "一", file="a.csv", row=2), Fault("two", "二")]
    error = StudyError(faults)
    assert error.faults == tuple(faults)
    assert str(error) == "2 fault(s) in the study:\n  - a.csv, row 2: one\n  - two"
    assert error.zh == "研究文件中有 2 处错误：\n  - a.csv，第 2 行：一\n  - 二"


# --------------------------------------------------------------------------- what a terminal would obey is shown
HOSTILE = "a\x1b[31m\x9b2J\u202eb\u2028c\x07\ud800"


def test_no_message_holds_what_a_terminal_obeys() -> None:
    error = InputError(f"`{HOSTILE}`.", zh=f"“{HOSTILE}”。")
    for text in (str(error), error.told("en"), error.told("zh")):
        assert text.isprintable() and r"a\u001b[31m\u009b2J\u202eb\u2028c\u0007\ud800" in text


def test_a_fault_is_one_line_of_visible_characters() -> None:
    fault = Fault(f"{HOSTILE}\nfaked line", "中文", file=HOSTILE, sheet=HOSTILE, row=2, column=HOSTILE)
    assert fault.told("en").isprintable() and fault.told("zh").isprintable()
    assert str(StudyError([fault])).count("\n") == 1
