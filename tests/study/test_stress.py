"""A reduced size: writers killed, logs cut, bits flipped, two writers at once."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shares import examples
from workbench.errors import BadValue, RecordFault
from workbench.stress import behind
from workbench.stress import record as stress
from workbench.stress.crowd import CrowdFigures, crowd
from workbench.study import Study, chain, verify
from workbench.vocabulary import Participant

INTEGERS = ("seq", "mono_ns", "row_version", "schema_version")


def nothing():
    pass


@pytest.mark.job
def test_kill_9_loses_no_acknowledged_entry(tmp_path):
    figures = stress.kill_writers(tmp_path / "s", kills=examples(10), seed=20, step=nothing)
    assert figures.acknowledged >= examples(10)
    assert (figures.lost, figures.broken) == (0, 0)


def test_the_writer_acknowledges_what_is_stored(tmp_path):
    Study.create(tmp_path, code="NEO", title="t", actor="a").close()
    read, out = os.pipe()
    stress.write(tmp_path, entries=3, out=out)
    os.close(out)
    with os.fdopen(read) as acknowledged:
        last = dict(line.split() for line in acknowledged)
    with Study.open(tmp_path, actor="a") as study:
        assert last == {row["id"]: str(row["row_version"]) for row in study.rows("participant")}
    assert len(last) == 3


@pytest.mark.job
@pytest.mark.sqlite_file("bytes of a file are changed here")
def test_a_cut_log_leaves_an_earlier_state_that_the_anchors_show(tmp_path):
    figures = stress.cut_logs(tmp_path, cuts=40, seed=21, step=nothing)
    assert figures.valid == 40
    assert figures.losing > 30
    assert figures.shown == figures.losing


@pytest.mark.sqlite_file("bytes of a file are changed here")
def test_every_flipped_bit_in_a_live_row_is_found(tmp_path):
    figures = stress.flip_bits(tmp_path, flips=examples(250), seed=22, step=nothing)
    assert figures.missed == ()


@pytest.mark.release
@pytest.mark.sqlite_file("bytes of a file are changed here")
def test_the_long_stress_test_reports_what_it_did():
    seen = []
    figures = stress.run(
        kills=1, cuts=2, flips=3, edits=4, seed=5, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(n, 12) for n in range(1, 13)]
    assert figures.ok
    assert "bit flips in live rows: 3 of 3 found" in figures.text()


@pytest.mark.sqlite_file("bytes of a file are changed here")
def test_a_stress_test_that_was_ended_goes_on_from_what_it_kept_and_counts_each_case_once(tmp_path, monkeypatch):
    monkeypatch.setattr(stress, "BATCH", 4)
    sizes, file = {"kills": 0, "cuts": 0, "flips": 6, "edits": 0, "seed": 5}, tmp_path / "kept.json"

    def ended(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stress.run(**sizes, progress=ended, keep=file)
    assert json.loads(file.read_text())["parts"] == {"flips": {"cases": 4, "found": 4, "missed": []}}
    again = []
    figures = stress.run(**sizes, progress=lambda done, total: again.append((done, total)), keep=file)
    # The four that were kept are told at once; the fifth is tried again.
    assert again == [(n, 6) for n in range(1, 7)]
    assert (figures.flips.flips, figures.flips.found, figures.ok) == (6, 6, True)
    once = stress.run(**sizes, keep=file)
    assert once == figures
    for other, said in (({"seed": 6}, "of a run with seed 5"), ({"flips": 7}, "of a run with flips 6")):
        with pytest.raises(BadValue, match=said):
            stress.run(**{**sizes, **other}, keep=file)
    file.write_text('{"parts": {"edits": {"cases": -1}}}')
    with pytest.raises(BadValue, match="holds no run of a stress test"):
        stress.run(**sizes, keep=file)


def test_a_stress_test_that_misses_something_is_not_ok():
    held = stress.Figures(
        stress.KillFigures(1, 9, 0, 0), stress.CutFigures(1, 1, 1, 1), stress.FlipFigures(1, 1, ()),
        stress.EditFigures(2, 2, ()), stress.TailFigures(1, 1, 1, 1, 1), 1,
    )  # fmt: skip
    assert held.ok
    for broken in (
        {"kills": stress.KillFigures(1, 9, 1, 0)},
        {"cuts": stress.CutFigures(1, 1, 1, 0)},
        {"flips": stress.FlipFigures(1, 0, ((7, 1),))},
        {"edits": stress.EditFigures(2, 1, ("trial.3.excluded",))},
        {"tails": stress.TailFigures(1, 0, 1, 1, 1)},
        {"tails": stress.TailFigures(1, 1, 1, 0, 1)},
    ):
        assert not replace(held, **broken).ok, broken
    assert (
        "missed: trial.3.excluded" in replace(held, edits=stress.EditFigures(2, 1, ("trial.3.excluded",))).text()
    )


def test_a_number_overwritten_or_a_pseudonym_or_slot_given_twice_is_not_passed_over():
    held = CrowdFigures(
        writers=2, seconds=1.0, counted=9, overwritten=0, late=3, changes=16, entries=20, people=2, doubled=0,
        slots=1, twice=0, gaps=0, missing=0, holds=True,
    )  # fmt: skip
    assert held.passed
    assert "16 changes (16.0 a second)" in held.text()
    for name in ("overwritten", "doubled", "twice", "gaps", "missing"):
        assert not replace(held, **{name: 1}).passed, name
    assert not replace(held, holds=False).passed


@pytest.mark.job
def test_writers_at_once_overwrite_no_number_and_give_no_pseudonym_or_slot_twice():
    figures = crowd(2.0, writers=3)
    assert figures.passed, figures.text()
    assert figures.late > 0
    assert figures.slots >= figures.writers


@pytest.mark.job
@pytest.mark.sqlite_file("tests/study/test_postgresql.py does it on the server")
def test_what_the_owner_of_a_file_edits_cuts_or_puts_back_is_found(tmp_path):
    folder = tmp_path / "s"
    states = behind.filled(folder, "")
    owner = behind.owner_of(folder)
    assert behind.edited(owner, states[-1], behind.chosen(owner, most=30, seed=3), step=nothing).missed == ()
    # An edit that changes nothing is none: the count does not only say yes.
    field = owner.fields()[0]
    owner.edit(field, owner.value(field))
    assert verify(folder).ok
    assert behind.tails(owner, states, cases=3, seed=3, step=nothing) == behind.TailFigures(3, 3, 3, 3, 3)
    assert verify(folder).ok


@pytest.mark.sqlite_file("bytes of a file are changed here")
def test_live_rows_cover_what_was_written(tmp_path):
    with Study.create(tmp_path, code="NEO", title="where am I " + "long " * 3000, actor="a") as study:
        study.append(Participant("PSEUDONYM-1"))
    data = study.path.read_bytes()
    rows = stress.live_rows(data)
    at = data.index(b"PSEUDONYM-1")
    assert any(start <= at < end for start, end in rows)
    assert all(start < end <= len(data) for start, end in rows)


WRITER = """
import sys
from workbench.errors import BadValue, RecordFault
from workbench.study import Study
from workbench.vocabulary import Participant
with Study.open(sys.argv[1], actor=sys.argv[2]) as study:
    row_id = study.rows("participant")[0]["id"]
    for number in range(25):
        study.append(Participant(f"{sys.argv[2]}-{number}"))
        while True:
            row = study.get("participant", row_id)
            try:
                changes = {"injury_level": str(int(row["injury_level"]) + 1)}
                study.amend("participant", row_id, changes, reason="count", row_version=row["row_version"])
                break
            except RecordFault as error:
                assert "meanwhile" in str(error), error
"""


@pytest.mark.job
def test_two_writing_processes_lose_no_update(tmp_path):
    with Study.create(tmp_path, code="NEO", title="t", actor="a") as study:
        person = study.append(Participant("P01", injury_level="0"))
        children = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("left", "right")
        ]
        assert [child.wait() for child in children] == [0, 0]
        row = study.get("participant", person)
        assert (row["injury_level"], row["row_version"]) == ("50", 51)
        assert study.count("participant") == 51
        assert {entry.actor for entry in study.entries()} == {"a", "left", "right"}
        assert study.verify().ok


def forge(study):
    with study.writing.begin("forged") as writer:
        writer.log("create", "participant", "p", version=2, payload={"new": None, "old": None, "reason": ""})
        writer._connection.exec_driver_sql(
            "INSERT INTO participant VALUES ('p', 'P', 0, '', '', '', '', '', '', '', '', 2)"
        )


def test_a_failure_between_audit_row_and_data_row_stores_neither(tmp_path):
    with Study.create(tmp_path, code="NEO", title="t", actor="a") as study:
        head = study.head()
        with pytest.raises(RecordFault, match="refused the entry .*participant: not audited"):
            forge(study)
        assert study.head() == head
        assert study.verify().ok


@given(
    text=st.lists(st.text(), min_size=8, max_size=8),
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4),
    key=st.binary(min_size=32, max_size=32),
)
def test_the_text_of_a_row_put_together_by_hand_is_the_canonical_one(text, numbers, key):
    texts, integers = iter(text), iter(numbers)
    record = {name: next(integers if name in INTEGERS else texts) for name in chain.RECORD}
    whole = chain.canonical(record)
    try:
        whole.encode()
    except UnicodeEncodeError:
        return  # No column takes it.
    assert "".join(chain.halves(list(record.values()))) == whole
    assert chain.link("a", record) == chain.sha256("a" + whole)
    assert chain.link("a", record, key) == hmac.new(key, f"a{whole}".encode(), hashlib.sha256).hexdigest()
    assert chain.digest("a", {**record, "hash": "b"}) == chain.sha256(
        "a" + chain.canonical({**record, "hash": "b"})
    )


@pytest.mark.parametrize("name", chain.RECORD)
@pytest.mark.parametrize("value", [1, 1.0, "1", None, True])
def test_a_number_and_its_text_make_different_rows(name, value):
    record = {column: 1 if column in INTEGERS else "1" for column in chain.RECORD}
    same = type(value) is type(record[name])
    assert (chain.link("a", record | {name: value}) == chain.link("a", record)) is same


def test_the_chain_depends_on_every_column_and_on_the_row_before():
    record = dict.fromkeys(chain.RECORD, 1)
    assert chain.link("a", record) != chain.link("b", record)
    assert len({chain.link("a", record | {name: 2}) for name in chain.RECORD}) == len(chain.RECORD)
    assert chain.canonical({"b": 1, "a": [1.5, None, "é"]}) == '{"a":[1.5,null,"é"],"b":1}'
