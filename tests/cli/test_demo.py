"""The demo from amplifier to report, and every command on the study that it made."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench.errors import RecordFault
from workbench.study import Study

pytestmark = pytest.mark.job


def flip(path: Path, at: float) -> None:
    """Change one byte at a share of a file's length."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)


def line(text: str, start: str) -> str:
    """The one line that begins so."""
    found = [x for x in text.splitlines() if x.startswith(start)]
    assert len(found) == 1, (start, text)
    return found[0]


def test_the_demo_ends_well_and_says_what_it_found(demo):
    said = demo.said
    assert said.code == 0, said.err
    assert "simulated participant" in line(said.out, "Source")
    assert "latency is not representative" in line(said.out, "Speed")
    score = line(said.out, "event F1")
    found = re.match(r"event F1 (\S+) \(.*95 % CI (\S+)–(\S+), .*; (\d+) of (\d+) attempts hit", score)
    assert found, score
    f1, low, high = (float(x) for x in found.groups()[:3])
    assert 0.0 <= low <= f1 <= 1.0
    assert low < high <= 1.0
    assert (int(found[4]) <= 15, int(found[5])) == (True, 15)
    assert "95 % CI" in line(said.out, "false activations")
    assert re.search(r"n = \d+", line(said.out, "onset latency"))
    assert re.fullmatch(r"Decoder +[0-9a-f]{64}", line(said.out, "Decoder"))
    assert "Run 1 (calibration): 16 trials, finished" in said.out
    assert "Run 2 (online): 15 trials, finished" in said.out
    assert said.out.count("equal the recording bit for bit") == 2


def test_the_demo_says_how_far_it_is_and_what_comes_next(demo):
    stages = re.findall(r"^\[ *(\d+) %\] (.+), about (\d+) s left$", demo.said.err, re.MULTILINE)
    assert [words for _, words, _ in stages] == [
        "Starting engine and players",
        "Calibration run",
        "Fitting the decoder",
        "Online run",
        "Record, ARAT, report, replay",
    ]
    shares, left = [int(s[0]) for s in stages], [int(s[2]) for s in stages]
    assert shares == sorted(shares)
    assert left == sorted(left, reverse=True)
    for command in ("dashboard", "replay", "verify"):
        assert f"workbench {command} {demo.folder}" in demo.said.out


def test_everything_that_the_demo_names_is_there(demo):
    out = demo.said.out
    page = Path(line(out, "Report").split()[1])
    paper = Path(next(x.strip() for x in out.splitlines() if x.strip().endswith(".pdf")))
    assert page.read_bytes().lstrip().lower().startswith(b"<!doctype html")
    assert paper.read_bytes().startswith(b"%PDF")
    assert len(demo.recordings) == 2
    digest = line(out, "Decoder").split()[1]
    assert json.loads((demo.folder / "decoders" / digest[:12] / "decoder.json").read_text())["sha256"] == digest
    with closing(sqlite3.connect(f"file:{demo.folder / 'study.db'}?mode=ro", uri=True)) as record:
        counts = [
            record.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0] for t in ("run", "trial", "assessment")
        ]
        assisted = sorted(record.execute("SELECT assisted, device_on, stimulation_on FROM assessment").fetchall())
    assert counts == [2, 31, 2]
    assert assisted == [(0, 0, 0), (1, 1, 0)]


def test_no_engine_and_no_player_is_left_behind(demo):
    left = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(demo.folder).encode() in _read(path)
    ]
    assert left == []
    assert not (demo.folder / "engine" / "lock.json").exists()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_every_run_replays_and_so_does_one(demo, workbench, inside):
    said = workbench("replay", demo.folder)
    assert said.code == 0, said.out + said.err
    assert said.out.splitlines()[-1] == "2 of 2 runs equal the record bit for bit"
    run = demo.recordings[1].stem
    said = inside("replay", demo.folder, "--run", run)
    assert said.code == 0
    assert run in said.out
    assert said.out.splitlines()[-1] == "1 of 1 runs equal the record bit for bit"


def test_a_run_that_is_not_there_is_refused_with_those_that_are(demo, inside):
    sentence = inside("replay", demo.folder, "--run", "run-7").refused("has no run run-7")
    assert all(recording.stem in sentence for recording in demo.recordings)


def test_a_changed_recording_differs_and_is_named(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    changed = copy.recordings[1]
    flip(changed, 0.5)
    said = inside("replay", copy.folder)
    assert (said.code, said.err) == (1, "")
    assert f"{changed.name} is not the file of the record" in said.out
    assert "1 of 2 runs equal the record bit for bit" in said.out
    assert line(said.out, "different").startswith(f"different: {changed.stem}. 'workbench verify")
    said = inside("verify", copy.folder)
    assert said.code == 1
    assert "the record does NOT hold: 1 problem\n" in said.out
    assert f"{changed.name} is not the file that was recorded" in said.out
    said = inside("inspect", *copy.recordings)
    assert said.code == 1
    assert f"{copy.recordings[0].name}: finished" in said.out
    assert f"{changed.name}: damaged" in said.out


def test_a_recording_that_is_gone_differs_and_is_named(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    gone = copy.recordings[0]
    gone.unlink()
    said = inside("replay", copy.folder)
    assert said.code == 1
    assert f"{gone.name} cannot be read" in said.out
    assert line(said.out, "different").startswith(f"different: {gone.stem}.")


@pytest.mark.parametrize("name", ["decoder.json", "arrays.npz"])
def test_a_changed_decoder_differs_and_is_named(demo, inside, tmp_path, name):
    copy = demo.copy(tmp_path)
    folder = next((copy.folder / "decoders").iterdir())
    flip(folder / name, 0.5)
    said = inside("replay", copy.folder)
    assert said.code == 1
    assert "Traceback" not in said.err
    online = line(said.out, "run 2 (online")
    assert "cannot be replayed" in online
    assert folder.name in online
    assert "1 of 2 runs equal the record bit for bit" in said.out


def test_a_decoder_that_is_gone_differs(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    folder = next((copy.folder / "decoders").iterdir())
    (folder / "decoder.json").unlink()
    said = inside("replay", copy.folder)
    assert said.code == 1
    assert "cannot be replayed" in line(said.out, "run 2 (online")


def test_the_record_verifies(demo, workbench):
    said = workbench("verify", demo.folder)
    assert said.code == 0
    assert said.out.startswith("the record holds\n")


def test_a_changed_record_does_not_verify(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    with closing(sqlite3.connect(copy.folder / "study.db")) as record:
        triggers = record.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            record.execute(f"DROP TRIGGER {name}")
        record.execute("UPDATE trial SET outcome = 'hit'")
        for _, sql in triggers:
            record.execute(sql)
        record.commit()
        changed = record.execute("SELECT COUNT(*) FROM trial").fetchone()[0]
    assert changed == 31
    said = inside("verify", copy.folder)
    assert said.code == 1
    assert "does NOT hold" in said.out
    assert "trial" in said.out


def test_a_whole_recording_is_inspected_and_left_alone(demo, inside):
    path = demo.recordings[1]
    before = path.read_bytes()
    said = inside("inspect", path)
    assert said.code == 0
    assert f"{path.name}: finished" in said.out
    assert "It is whole." in said.out
    assert "wb.decisions" in said.out
    said = inside("recover", path)
    assert said.code == 0
    assert "is whole" in said.out
    assert path.read_bytes() == before


def test_a_torn_recording_is_recovered_once_and_each_time_said_to_have_lost_its_end(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    path = copy.recordings[1]
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    said = inside("inspect", path)
    assert said.code == 1
    assert f"run 'workbench recover {path.name}'" in said.out
    said = inside("recover", path)
    assert said.code == 1  # 0 would say that nothing which was on the disk is lost
    assert "its end was cut off afterwards" in said.out
    for label in ("found:", "saved:", "lost:", "next:"):
        assert said.out.count(label) == 1
    kept = path.read_bytes()
    again = inside("recover", path)
    assert (again.code, again.out) == (1, said.out)
    assert path.read_bytes() == kept


def test_the_report_again_in_chinese(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    said = inside("report", copy.folder, "--language", "zh-CN")
    if "font" in said.err:
        pytest.skip(said.err.strip())
    assert said.code == 0, said.err
    page, paper = map(Path, said.out.split())
    text = page.read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in text
    assert re.search("[\u4e00-\u9fff]{4}", text)
    assert paper.read_bytes().startswith(b"%PDF")


def test_an_existing_study_is_refused_and_left_alone(demo, inside):
    before = (demo.folder / "study.db").read_bytes()
    inside("demo", "--no-browser", "--study", demo.folder).refused(
        "contains a study already", "add --append", "or name another folder"
    )
    assert (demo.folder / "study.db").read_bytes() == before


def test_a_run_that_was_not_taken_into_the_record_is_named_before_a_fit(demo):
    from workbench.commands._demo_session import _files

    refusal = pytest.raises(RecordFault, match="run-lost was recorded and is not in the record")
    with Study.open(demo.folder, actor="tester") as study, refusal:
        _files(study, ["run-lost"])


def test_ending_where_nothing_runs_says_so(demo, inside):
    said = inside("end", demo.folder)
    assert said.code == 0
    assert "no session runs" in said.out


@pytest.mark.parametrize("damage", ["middle", "cut"])
@pytest.mark.parametrize("command", ["replay", "verify", "report", "dashboard", "end", "demo"])
def test_a_damaged_record_is_a_sentence(demo, inside, tmp_path, command, damage):
    folder = tmp_path / "damaged"
    folder.mkdir()
    data = bytearray((demo.folder / "study.db").read_bytes())
    if damage == "cut":
        del data[len(data) // 4 :]
    else:
        third = len(data) // 3
        data[third : 2 * third] = bytes(x ^ 0xA5 for x in data[third : 2 * third])
    (folder / "study.db").write_bytes(data)
    more = ["--append", "--no-browser", "--study", folder] if command == "demo" else [folder]
    said = inside(command, *more)
    assert "Traceback" not in said.err + said.out
    assert "defect" not in said.err
    if command == "verify":
        assert said.code == 1
        assert "restore it from the latest backup" in said.out
    else:
        said.refused("is damaged", "restore it from the latest backup")
    assert (folder / "study.db").read_bytes() == bytes(data)


def test_verify_replay_and_inspect_answer_in_one_shape(demo, inside):
    verified = inside("verify", demo.folder, "--json").answer("verify")
    assert (verified["problems"], set(verified["head"])) == ([], {"seq", "hash"})
    replayed = inside("replay", demo.folder, "--json").answer("replay")
    assert [run["equal"] for run in replayed] == [True, True]
    assert max(run["n"] for run in replayed) > 0
    inspected = inside("inspect", *demo.recordings, "--json").answer("inspect")
    assert [one["path"] for one in inspected] == [str(path) for path in demo.recordings]
    assert {one["state"] for one in inspected} == {"finished"}


def test_what_differs_is_not_ok_and_stands_in_the_result(demo, inside, tmp_path):
    copy = demo.copy(tmp_path)
    with copy.recordings[1].open("r+b") as file:
        file.truncate(copy.recordings[1].stat().st_size // 2)
    (inspected,) = inside("inspect", copy.recordings[1], "--json").answer("inspect", code=1)
    assert inspected["torn_bytes"] > 0
    assert inside("verify", copy.folder, "--json").answer("verify", code=1)["problems"]
