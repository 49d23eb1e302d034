"""Tables that leave the product: no cell is a formula, and every table is written by one helper."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench
from workbench import delimited

FORMULAS = (
    '=HYPERLINK("http://example.org")', "+cmd|' /C calc'!A0", "@SUM(1)", "-1+1", "\t=1", "\r=1", "\n=1", "=1",
    "＝1", "+44 20 7946", "--1", "-", "'=1", "''+1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_a_text_that_a_spreadsheet_would_run_is_written_with_an_apostrophe(text):
    assert delimited.cell(text) == "'" + text
    assert delimited.original("'" + text) == text


@pytest.mark.parametrize(
    "value", ["-1", "+1.5", "-1e-3", ".5", "-.5", 3, -2.5, None, True, "", "P-1", "a=b", "O'Brien"]
)
def test_numbers_and_harmless_texts_stay_as_they_are(value):
    assert delimited.cell(value) is value


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=2)))
def test_every_table_comes_back_and_no_cell_begins_like_a_formula(rows):
    text = delimited.to_text(("a", "b"), rows, delimiter="\t")
    back = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))[1:]
    assert [[delimited.original(cell) for cell in row] for row in back] == rows
    for row in back:
        for cell in row:
            assert cell[:1] not in tuple("=@\t\r\n＝＋－＠")
            assert cell[:1] not in tuple("+-") or cell == str(cell) and float(cell) == float(cell)


def test_no_other_module_writes_delimited_text():
    package = Path(workbench.__file__).parent
    writers = {"csv.writer", "csv.DictWriter", "np.savetxt", "numpy.savetxt"}
    found = set()
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "csv" not in source and "savetxt" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            imported = isinstance(node, ast.ImportFrom) and node.module == "csv"
            if name in writers or name.endswith((".to_csv", ".write_csv")) or imported:
                found.add(path.relative_to(package).as_posix())
    assert found == {"delimited.py"}


def test_the_core_data_set_leaves_without_a_formula():
    from workbench.exchange import Export

    export = Export(("PARTICIPANT", "AGE"), ({"PARTICIPANT": "=1+1", "AGE": "-4"},), (), (), ())
    assert export.csv() == "PARTICIPANT,AGE\n'=1+1,-4\n"
