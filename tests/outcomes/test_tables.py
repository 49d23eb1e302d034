"""A licensed table is read strictly, told by label and hash, and never stands in a score."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._contract import Definition, Item, Subscale
from workbench.outcomes._scoring import Measure, ScorerResult, make_subscore
from workbench.outcomes._tables import given_table, table_needed, table_option

MADE_UP = "# made-up table for a test, no real values\nraw,t\n1,30.5\n2,41\n"


def write(folder, text, *, name="made_up.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_label_and_hash(tmp_path):
    path = write(tmp_path, MADE_UP)
    table = outcomes.read_table(path)
    assert dict(table.values) == {"1": 30.5, "2": 41.0}
    assert table.label == "made-up table for a test, no real values"
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert table["2"] == 41
    assert table.to_json() == {"label": table.label, "sha256": table.sha256}


def test_the_licensed_numbers_of_a_table_stand_in_no_text_about_it(tmp_path):
    table = outcomes.read_table(write(tmp_path, MADE_UP))
    assert table.sha256 in repr(table)
    assert "30.5" not in f"{table!r} {table}"


def test_without_a_label_line_the_file_name_is_the_label(tmp_path):
    assert outcomes.read_table(str(write(tmp_path, "raw,t\n1,2\n"))).label == "made_up.csv"
    assert outcomes.read_table(write(tmp_path, "#\nraw,t\n1,2\n")).label == "made_up.csv"


def test_columns_before_the_last_are_joined_to_the_key(tmp_path):
    table = outcomes.read_table(write(tmp_path, "bank,raw,t\nanxiety,17,52.5\n"))
    assert table["anxiety:17"] == 52.5


def test_what_a_spreadsheet_program_writes_is_read(tmp_path):
    table = outcomes.read_table(write(tmp_path, b'\xef\xbb\xbf"raw", t\r\n\r\n"1", -2e1\r\n,\r\n'))
    assert dict(table.values) == {"1": -20.0}


def test_the_rows_cannot_be_changed(tmp_path):
    table = outcomes.read_table(write(tmp_path, MADE_UP))
    with pytest.raises(TypeError):
        table.values["1"] = 0.0
    with pytest.raises(AttributeError):
        table.label = "another"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no rows"),
        ("raw,t\n", "has no rows"),
        ("raw;t\n1;2\n", "line 1: the column names must be two or more, separated by commas"),
        ("1,2\n2,3\n", "line 1 must hold the column names, got numbers: 1, 2"),
        ("# label\nraw,t\n1,2\n1,3\n", "line 4: '1' stands twice"),
        ("raw,t\n1,2,5\n", "line 2 has 3 cells, the column names are 2; use a decimal point"),
        ("raw,t\n1,\n", "line 2 has an empty cell"),
        ("raw,t\n1,nan\n", "line 2: the last cell must be a finite number, got 'nan'"),
        ("raw,t\n1,many\n", "line 2: the last cell must be a finite number, got 'many'"),
        ('raw,t\n1,"2"3\n', "line 2 is no CSV"),
        (b"raw,t\n\xff,2\n", "must be UTF-8 text, got byte 6"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line(tmp_path, text, sentence):
    with pytest.raises(BadValue) as error:
        outcomes.read_table(write(tmp_path, text))
    assert sentence in str(error.value)
    assert "made_up.csv" in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadValue, match="cannot be read .No such file"):
        outcomes.read_table(tmp_path / "nothing.csv")


def test_a_missing_row_names_the_table_and_its_first_rows(tmp_path):
    table = outcomes.read_table(write(tmp_path, MADE_UP))
    with pytest.raises(BadValue, match="table 'made-up .*' has no row '3'; its 2 rows begin with '1', '2'"):
        table["3"]


def _score(definition, values, options):
    table = given_table(definition, options)
    one = definition.subscales[0]
    number = None if table is None or values["a"] is None else table[str(values["a"])]
    found = make_subscore(
        one, values, number, rule="look-up" if table else table_needed(definition), source="none"
    )
    return ScorerResult({one.code: found})


LOOKED_UP = Measure(
    (
        Definition(
            name="looked_up",
            version="1",
            title="Made up for this test",
            items=(Item("a", "an item", (1, 2)),),
            subscales=(Subscale("t", "T score", ("a",), 0, 100),),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="none",
            licence="none",
            sources=("none",),
            options=(table_option(),),
            table="raw score to T score",
            conditions={},
        ),
    ),
    _score,
)


def test_a_score_keeps_label_and_hash_of_its_table_and_no_row_of_it(tmp_path):
    table = outcomes.read_table(write(tmp_path, MADE_UP))
    score = LOOKED_UP.score({"a": 2}, table=table)
    assert score.subscores["t"].value == 41
    stored = json.loads(json.dumps(score.to_json()))
    assert stored["options"] == {"table": {"label": table.label, "sha256": table.sha256}}
    assert "30.5" not in json.dumps(stored)


def test_without_a_table_the_score_is_not_determinable_and_says_what_is_needed():
    sub = LOOKED_UP.score({"a": 2}).subscores["t"]
    assert (sub.value, sub.status) == (None, "ND")
    assert sub.rule.startswith("looked_up 1 needs the table 'raw score to T score'")
    assert "--table FILE" in sub.rule


def test_a_path_or_a_mapping_is_no_table():
    with pytest.raises(BadValue, match="must be a table that was read from a file, got str"):
        LOOKED_UP.score({"a": 2}, table="made_up.csv")


def command(measure, *arguments, responses):
    line = json.dumps({"id": 1, "responses": responses})
    called = [sys.executable, "-m", "workbench", "score", measure, *arguments]
    return subprocess.run(called, input=line, capture_output=True, text=True, check=False)


def test_the_command_line_takes_a_table_and_the_answer_names_it(tmp_path):
    rows = "".join(f"{raw},{raw + 30}\n" for raw in range(4, 21))
    path = write(tmp_path, f"# made-up T scores for a test\nraw,t\n{rows}")
    options = ("--version", "anxiety-4a", "--table", str(path))
    done = command("promis_short_form", *options, responses={"q1": 1, "q2": 2, "q3": 3, "q4": 4})
    result = json.loads(done.stdout)["result"]
    assert (done.returncode, done.stderr) == (0, "")
    assert result["subscores"]["t"]["value"] == 40
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert result["options"] == {"table": {"label": "made-up T scores for a test", "sha256": digest}}


def test_the_command_line_refuses_a_table_where_none_is_used_and_a_file_that_is_none(tmp_path):
    path = write(tmp_path, MADE_UP)
    for measure, file, told in (
        ("sus", path, "has no option 'table'"),
        ("eq5d5l", tmp_path / "no", "cannot be read"),
    ):
        done = command(measure, "--table", str(file), responses={})
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
