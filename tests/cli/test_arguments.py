"""What a user types wrongly, and what they read then. Nothing is created for a command that cannot be."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from workbench import commands
from workbench.commands import _main, available, demo
from workbench.study import Study


def refused(capsys, *args) -> str:
    """The sentence with which a command is refused, in this process."""
    assert commands.main([str(a) for a in args]) == 2
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    return lines[0]


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "-inf", "1000", "1e-9"])
def test_a_speed_that_cannot_be_creates_nothing(capsys, tmp_path, speed):
    said = refused(capsys, "demo", "--no-browser", "--study", tmp_path / "s", f"--speed={speed}")
    assert f"--speed must be from 0.1 to 100 (1 = real time), got {float(speed):g}" in said
    assert "leave it out" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_cannot_be_creates_nothing(capsys, tmp_path, seed):
    said = refused(capsys, "demo", "--no-browser", "--study", tmp_path / "s", f"--seed={seed}")
    assert f"from 0 to 2147483647, got {seed}" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--speed=fast", "must be a number, as in 4 or 0.5; got 'fast'"),
        ("--seed=x", "must be an integer, as in 7; got 'x'"),
        ("--unit=", "must not be blank; leave the option out"),
        ("--declared-by= ", "must not be blank; leave the option out"),
    ],
)
def test_a_value_that_is_no_number_or_no_word_is_named(capsys, argument, words):
    with pytest.raises(SystemExit) as ended:
        commands.main(["demo", argument])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["T1", "T1,T2", "T1=", "=a,T2=b", "T1=a,,T2=b", "T1=a=b,T2=c", "", " "])
def test_malformed_conditions(capsys, tmp_path, text):
    said = refused(capsys, "demo", "--recordings", "a.edf", "b.edf", "--conditions", text)
    assert f"must look like T1=hands,T2=feet, got {text!r}" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("T1=a", "two different conditions, as in T1=hands,T2=feet; got T1=a"),
        ("T1=a,T2=a", "two different conditions"),
        ("T1=a,T2=b,T3=c", "two different conditions"),
        ("T1=a,T1=b", "names 'T1' twice"),
        ("T1=rest,T2=b", "'rest' is the time between the trials"),
    ],
)
def test_conditions_that_cannot_be(capsys, text, words):
    assert words in refused(capsys, "demo", "--recordings", "a.edf", "b.edf", "--conditions", text)


def test_spaces_around_conditions_are_no_matter():
    assert demo.parse_conditions(" T1 = hands , T2 = feet ") == {"T1": "hands", "T2": "feet"}


def test_conditions_without_recordings_and_recordings_without_conditions(capsys):
    assert "--recordings needs two files or more" in refused(capsys, "demo", "--conditions", "T1=a,T2=b")
    assert "got none" in refused(capsys, "demo", "--recordings", "a.edf", "b.edf")


def test_study_folders_that_cannot_be(capsys, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.odt").write_text("mine")
    base = ("demo", "--no-browser", "--study")
    assert "is a file; --study needs a folder" in refused(capsys, *base, tmp_path / "file")
    assert "cannot be written (Not a directory)" in refused(capsys, *base, tmp_path / "file" / "study")
    assert "is not empty and contains no study; choose a new" in refused(capsys, *base, tmp_path / "full")
    said = refused(capsys, *base, tmp_path / "new", "--append")
    assert "contains none; name it with --study DIR" in said
    assert "none was named" in refused(capsys, "demo", "--append")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["file", "full", "full/thesis.odt"]


@pytest.fixture
def somebody(tmp_path):
    """An ordinary user, who may enter ``tmp_path``'s parents; root may write anywhere."""
    import workbench.commands._demo_session  # noqa: F401  (what another user may not read is imported before)

    if os.geteuid() != 0:
        yield
        return
    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_folders_that_may_not_be_written(capsys, tmp_path, somebody):
    with as_owner():
        (tmp_path / "locked").mkdir(mode=0o555)
        (tmp_path / "private").mkdir(mode=0o000)
    for folder in (tmp_path / "locked" / "study", tmp_path / "locked"):
        said = refused(capsys, "demo", "--no-browser", "--study", folder)
        assert f"the study folder {folder} cannot be written (Permission denied); choose another" in said
    said = refused(capsys, "demo", "--no-browser", "--study", tmp_path / "private" / "study")
    assert "cannot be used (Permission denied); choose one that you may write to" in said


@contextmanager
def as_owner():
    """The rights that the tests were started with."""
    user = os.geteuid()
    os.seteuid(os.getuid())
    yield
    os.seteuid(user)


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_made(capsys, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        said = refused(capsys, "demo", "--no-browser", "--study", disk / "study")
        assert re.search(r"has 6\d MB free; this session needs \d+ MB and 20 % more", said), said
        assert "or choose another disk" in said
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("command", ["replay", "verify", "report", "dashboard", "end"])
def test_what_is_no_study_is_told_apart(capsys, tmp_path, command):
    (tmp_path / "nothing").mkdir()
    assert "there is no study record at" in refused(capsys, command, tmp_path / "nothing")
    assert "there is no study record at" in refused(capsys, command, tmp_path / "absent")
    assert list((tmp_path / "nothing").iterdir()) == []
    for name, content in (("empty", b""), ("text", b"dear diary, " * 99)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.db").write_bytes(content)
    assert "is empty; restore it from a backup" in refused(capsys, command, tmp_path / "empty")
    assert "is not a study record" in refused(capsys, command, tmp_path / "text")
    (tmp_path / "foreign").mkdir()
    with closing(sqlite3.connect(tmp_path / "foreign" / "study.db")) as other:
        other.execute("CREATE TABLE bookmarks (a)")
        other.commit()
    assert "SQLite file but no study record; give the study's own folder" in refused(
        capsys, command, tmp_path / "foreign"
    )


@pytest.mark.parametrize("command", ["inspect", "recover"])
def test_what_is_no_recording_is_told_apart(capsys, tmp_path, command):
    (tmp_path / "song.wav").write_bytes(b"RIFF1234")
    (tmp_path / "empty").touch()
    said = refused(capsys, command, tmp_path / "gone.xdf")
    assert "gone.xdf" in said
    assert "(No such file or directory)" in said
    assert "(Is a directory)" in refused(capsys, command, tmp_path)
    assert "song.wav is not an XDF file" in refused(capsys, command, tmp_path / "song.wav")
    assert "empty is empty: it holds no recording" in refused(capsys, command, tmp_path / "empty")
    assert (tmp_path / "empty").read_bytes() == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "song.wav"]


def test_a_stress_test_is_checked_before_it_takes_hours(capsys, tmp_path):
    assert "there is no stress test 'pill'; they are record" in refused(capsys, "stress", "pill")
    said = refused(capsys, "stress", "record", "--n", "0")
    assert "--n must be 1 or more, and at most 1,000,000; got 0" in said
    said = refused(capsys, "stress", "record", "--n", "1000000", "--out", tmp_path / "gone" / "x.md")
    assert "x.md cannot be written (No such file or directory); name another document" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("soak", "--minutes", "0"), "--minutes must be 0.05 to 240 (10 is usual), got 0.0"),
        (("soak", "--minutes", "nan"), "--minutes must be 0.05 to 240 (10 is usual), got nan"),
        (("soak", "--channels", "0"), "--channels must be 2 to 1,024 (the first counts samples), got 0"),
        (("soak", "--rate", "1e9"), "--rate must be 100 to 50,000 (in Hz, 2000 is usual), got 1000000000.0"),
        (("soak", "--channels", "1024", "--rate", "50000"), "32,000,000 are the most; take fewer channels or a"),
        (
            ("soak", "--minutes", "240", "--channels", "256", "--rate", "30000"),
            "can be compared in the memory that is free; take fewer minutes or channels, or a lower rate",
        ),
        (("soak", "--n", "3"), "has no size --n, got 3; allowed are --minutes, --channels, --rate: leave --n out"),
        (
            ("record", "--minutes", "3"),
            "record has no size --minutes, got 3.0; allowed are --n: leave --minutes out",
        ),
    ],
)
def test_a_size_of_a_stress_test_that_cannot_be(capsys, arguments, words):
    assert words in refused(capsys, "stress", *arguments)


def test_a_port_that_cannot_be(capsys, tmp_path):
    assert "--port must be from 1 to 65535" in refused(capsys, "dashboard", tmp_path, "--port", "70000")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--url", "hub/user"), "--url must be the address of the dashboard behind the proxy"),
        (("--url", "https://hub.example.org/"), "--url needs --port N too"),
    ],
)
def test_an_address_behind_a_proxy_that_cannot_be(capsys, tmp_path, arguments, words):
    assert words in refused(capsys, "dashboard", tmp_path, *arguments)


@pytest.mark.parametrize("command", available())
def test_every_command_explains_itself(capsys, command):
    with pytest.raises(SystemExit) as ended:
        commands.main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "SUPPRESS" not in text
    assert f"usage: workbench {command}" in text
    rows = [row.split("  ") for row in text.splitlines() if row.startswith("  -") or row.startswith("  [A-Z]")]
    bare = [row for row in rows if len([cell for cell in row if cell.strip()]) == 1 and len(row[1]) < 20]
    assert bare == [], "an option without a word of help"


def test_a_reader_that_leaves_early_is_no_defect(tmp_path):
    command = f"{sys.executable} -m workbench stress list | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_defect_is_a_sentence_and_a_file(tmp_path):
    code = (
        "import sys, workbench.commands as commands\n"
        "from workbench.commands import demo\n"
        "def broken(text): raise RuntimeError('boom')\n"
        "demo.parse_conditions = broken\n"
        "sys.exit(commands.main(['demo', '--conditions', 'T1=a']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "this is a defect of the workbench, not of your data: RuntimeError: boom" in done.stderr
    trace = next(Path(tmp_path).glob("workbench-defect-*.txt"))
    assert str(trace) in done.stderr
    assert "in broken" in trace.read_text()


def test_a_study_without_a_run_has_nothing_to_replay(capsys, tmp_path):
    Study.create(tmp_path / "s", code="T", title="t", actor="test").close()
    assert refused(capsys, "replay", tmp_path / "s").endswith("has no run yet; record one first")


def test_damage_of_the_study_that_was_named_is_not_called_a_defect(capsys, tmp_path, monkeypatch):
    """What no reader foresaw: the last handler verifies the study before it blames the workbench."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Study.create(tmp_path / "s", code="T", title="t", actor="test").close()
    error = AttributeError("'list' object has no attribute 'get'")
    _main._named.clear()
    _main._named.update(study=tmp_path / "s")
    _main._report_defect(AttributeError, error, None)
    assert "a defect of the workbench, not of your data" in capsys.readouterr().err
    with closing(sqlite3.connect(tmp_path / "s" / "study.db")) as other:
        other.execute("DROP TRIGGER study_update")
        other.execute("UPDATE study SET title = 'another'")
        other.commit()
    _main._report_defect(AttributeError, error, None)
    said = capsys.readouterr().err
    assert said.startswith("workbench: the study is damaged, and this could not be done: ")
    assert "'workbench verify" in said
    assert "defect" not in said
    _main._named.clear()
