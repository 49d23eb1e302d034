"""Bad files, folders, recordings and studies, made from valid ones."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from workbench.recording import RunWriter, chunks, index
from workbench.study import Study
from workbench.vocabulary import LedgerRow, Marker, Participant, Session, StreamSpec, Trial, Visit

NESTED = "[" * 50_000 + "]" * 50_000
"""Nested deeper than any parser's stack."""

SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("a", "b"), source_id="amp-1")


# ------------------------------------------------------------------------------------------ sound
def sound_study(folder: Path) -> Path:
    """A study with one participant, one calibration run, one examination and one ledger between the runs."""
    from workbench import outcomes, runs
    from workbench.recording import append_rows
    from workbench.vocabulary import Assessment, Condition

    with Study.create(folder, code="HOSTILE", title="hostile input", actor="hostile") as study:
        visit = study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "V1"))
        session = study.append(Session(visit, "hostile", simulated=True))
        score = outcomes.score("arat", {"grasp_1": 2}).to_json()
        alone = Condition(assisted=False, device_on=False, stimulation_on=False)
        study.append(Assessment(visit, "arat", "1981", alone, {"grasp_1": 2}, score, "hostile", side="left"))
        (folder / "recordings").mkdir()
        sound_recording(folder / "recordings" / "run-1.xdf", session=session)
        append_rows(folder / "recordings" / f"{session}.ledger.jsonl", [LedgerRow("note", 1.0, 1.0, extent="x")])
        runs.take_in(study)
    return folder


def sound_protocol(path: Path) -> Path:
    """A protocol file with one arm and one visit."""
    path.write_text(
        '[study]\ncode = "HOSTILE"\ntitle = "hostile input"\nversion = "1.0.0"\nsponsor = "none"\n'
        'jurisdictions = ["EU"]\neffective_from = 2026-12-01\n'
        '[[arm]]\nname = "one"\ntitle = "one"\n'
        '[[visit]]\nname = "V1"\nanchor = "consent"\nday = 0\nearliest = 0\nlatest = 0\n'
        f'[consent]\npurposes = {{ required = ["treatment"] }}\ndocument_version = "1"\n'
        f'document_sha256 = "{"0" * 64}"\n',
        encoding="utf-8",
    )
    return path


def sound_exchange(path: Path, protocol: Path) -> Path:
    """The protocol of a file as CDISC ODM."""
    from workbench.exchange import odm
    from workbench.study.protocol import read

    path.write_bytes(odm.to_odm(read(protocol)))
    return path


def sound_manifest(path: Path, study: Path) -> Path:
    """The manifest of a study's only run, planned by its command."""
    words = ("batch", "plan", str(study), "--pipeline", "cross_validate", "--decoder", "bandpower_lda", "--out")
    subprocess.run([sys.executable, "-m", "workbench", *words, str(path)], check=True, capture_output=True)
    return path


def sound_identities(folder: Path, study: Path) -> Path:
    """Identities of one person beside a study."""
    from workbench.study.identities import Identities, Identity

    store = Identities.create(folder, study=study, study_id="hostile", actor="hostile")
    store.add("SIM-01", Identity("somebody", "H-1"))
    return folder


def sound_recording(path: Path, *, session: str = "s1", run: str = "r1") -> Path:
    """A short calibration run.

    Parameters
    ----------
    path : of the new recording.
    session, run : ids in its plan.
    """
    plan = {"run": run, "session": session, "number": 1, "kind": "calibration", "paradigm": "grasp_rest"}
    with RunWriter(path, plan={**plan, "params": {}, "classes": []}, stamp=10.0, signal=SIGNAL) as writer:
        for k in range(3):
            at = 50 * k
            writer.signal(np.full((50, 2), k, np.float32), 10.0 + np.arange(at, at + 50) / 250.0)
            writer.marker(Marker("cue", at, 10.0 + at / 250.0, "grasp", {"trial": k}))
            writer.trial(Trial(k, "grasp", at, 10.0 + at / 250.0, at + 50, "recorded"))
    return path


# ------------------------------------------------------------------------------------------ paths
def bad_paths(folder: Path) -> dict[str, Path]:
    """Paths that cannot be read as a file or a folder, by what is wrong with them."""
    paths = {
        "absent": folder / "absent",
        "under a file": folder / "file" / "below",
        "long name": folder / ("n" * 300),
        "long path": Path("/".join([str(folder), *["d" * 100] * 50])),
        "not UTF-8": Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")),
        "zeros for ever": Path("/dev/zero"),
        "null device": Path("/dev/null"),
        "terminal": Path("/dev/tty"),
        "loop": folder / "loop",
        "pipe": folder / "pipe",
        "socket": folder / "socket",
        "text": folder / "file",
        "empty": folder / "empty",
        "folder": folder / "folder",
        "sparse": folder / "sparse",
        "no right": folder / "forbidden" / "inside",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").write_text("dear diary\n")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        before = os.getcwd()
        os.chdir(folder)  # A socket's path has at most some 100 bytes.
        listening.bind("socket")
        os.chdir(before)
    with (folder / "sparse").open("wb") as file:
        file.truncate(2**42)
    (folder / "forbidden").mkdir(mode=0o000)
    return paths


# ------------------------------------------------------------------------------------------ texts
def bad_texts(folder: Path) -> dict[str, Path]:
    """Files that are neither a table nor JSON nor text."""
    contents = {
        "not UTF-8": b"\xff\xfe\x00name;value\n\x80\x81",
        "NUL": b"a,b\n\0,\0\n",
        "one long line": b"x" * 2_000_000,
        "nested": NESTED.encode(),
        "quotes": b'"' * 999,
        "other columns": b"colour,smell\nred,none\n",
        "header only": b"record_id\n",
        "entities": b'<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><ODM>&b;</ODM>',
        "nested elements": b"<a>" * 50_000,
        "binary": os.urandom(4096),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, (what, content) in enumerate(contents.items()):
        files[what] = folder / f"text-{number}.csv"
        files[what].write_bytes(content)
    return files


# ------------------------------------------------------------------------------------------ recordings
def _header(**changes: str) -> str:
    values = {
        "name": "s",
        "type": "EEG",
        "channel_count": "2",
        "nominal_srate": "250",
        "channel_format": "float32",
    }
    return (
        "<info>"
        + "".join(f"<{name}>{value}</{name}>" for name, value in {**values, **changes}.items())
        + "</info>"
    )


def _file(*parts: bytes) -> bytes:
    return chunks.MAGIC + b"".join(parts)


def _stream(xml: str, *samples: bytes) -> bytes:
    head = chunks.encode_xml(chunks.Tag.STREAM_HEADER, xml, stream_id=1)
    return _file(head, *(chunks.encode_chunk(chunks.Tag.SAMPLES, b"\x01\0\0\0" + sample) for sample in samples))


def bad_recordings(folder: Path) -> dict[str, Path]:
    """XDF files with impossible announcements, or broken in one place."""
    folder.mkdir(parents=True, exist_ok=True)
    entity = '<!DOCTYPE a [<!ENTITY b "bbbb">]><info>&b;</info>'
    contents = {
        "another format": b"RIFF1234WAVE",
        "beginning only": b"XD",
        "random": chunks.MAGIC + os.urandom(20_000),
        "billion channels": _stream(_header(channel_count="1000000000"), b"\x01\x01" + b"\0" * 9),
        "no channels": _stream(_header(channel_count="0")),
        "negative channels": _stream(_header(channel_count="-4")),
        "channels in words": _stream(_header(channel_count="many")),
        "many digits": _stream(_header(channel_count="9" * 5000)),
        "rate not a number": _stream(_header(nominal_srate="nan"), b"\x01\x00"),
        "rate infinite": _stream(_header(nominal_srate="inf")),
        "rate negative": _stream(_header(nominal_srate="-1")),
        "unknown format": _stream(_header(channel_format="float128")),
        "nested header": _stream("<a>" * 100_000 + "</a>" * 100_000),
        "broken header": _stream("<info><name>"),
        "entities": _stream(entity),
        "large header": _stream(_header(name="n" * (17 * 2**20))),
        "no text in header": _file(chunks.encode_chunk(chunks.Tag.STREAM_HEADER, b"\x01\0\0\0\xff\xfe\xff")),
        "billion samples": _stream(_header(), b"\x04\x00\xca\x9a\x3b"),
        "endless chunk": _file(b"\x08" + b"\xff" * 8 + b"\x03\x00"),
        "length of 3 bytes": _file(b"\x03\x05\x00\x00\x00\x03\x00"),
        "text of numbers": _stream(
            _header(channel_format="string"), b"\x01\x01\x08" + b"\0" * 8 + b"\x04\xff\xff\xff\x7f"
        ),
        "many broken chunks": _file(*[b"\x04\x10\x00\x00\x00\x03\x00\x01"] * 20_000),
    }
    files = {}
    for number, (what, content) in enumerate(contents.items()):
        files[what] = folder / f"bad-{number}.xdf"
        files[what].write_bytes(content)
    files["bomb"] = folder / "bomb.xdfz"
    packer = zlib.compressobj(9, wbits=31)
    files["bomb"].write_bytes(packer.compress(chunks.MAGIC + bytes(30_000_000)) + packer.flush())
    files["packed text"] = folder / "text.xdfz"
    files["packed text"].write_bytes(b"no gzip")
    for number, (what, damage) in enumerate(_damages().items()):
        files[what] = sound_recording(folder / f"run-{number}.xdf")
        damage(files[what])
    return files


def _damages() -> dict[str, Callable[[Path], object]]:
    def flipped(share: float, *, side: bool = False) -> Callable[[Path], object]:
        def flip(path: Path) -> object:
            file = index.path_of(path) if side else path
            data = bytearray(file.read_bytes())
            data[int(share * len(data))] ^= 4
            return file.write_bytes(data)

        return flip

    def with_index(content: bytes) -> Callable[[Path], object]:
        return lambda path: index.path_of(path).write_bytes(content)

    def with_end(text: str) -> Callable[[Path], object]:
        end = index.encode(index.Indexed(0, len(text), zlib.crc32(text.encode()), index.END)) + text.encode()
        return with_index(index.MAGIC + end)

    def piped(path: Path) -> None:
        index.path_of(path).unlink()
        os.mkfifo(index.path_of(path))

    return {
        "flip at the start": flipped(0.0),
        "flip in a header": flipped(0.05),
        "flip in the middle": flipped(0.5),
        "flip at the end": flipped(0.99),
        "flip in the index": flipped(0.3, side=True),
        "cut": lambda path: os.truncate(path, path.stat().st_size - 7),
        "foreign index": with_index(os.urandom(5000)),
        "nested index": with_end('{"state": ' + NESTED + "}"),
        "index of a list": with_end("[1, 2]"),
        "index of odd types": with_end('{"state": 1, "bytes": "x"}'),
        "index that leads away": with_end('{"state": "recovered", "tail": "../../x"}'),
        "index is a pipe": piped,
    }


# ------------------------------------------------------------------------------------------ studies
def bad_studies(folder: Path, sound: Path) -> dict[str, Path]:
    """Copies of a valid study, each with one fault."""
    studies = {}
    folder.mkdir(parents=True, exist_ok=True)
    for number, (what, damage) in enumerate(_faults(sound)):
        studies[what] = folder / f"study-{number}"
        shutil.copytree(sound, studies[what])
        damage(studies[what])
    return studies


def _faults(sound: Path) -> Iterator[tuple[str, Callable[[Path], object]]]:
    yield "record is a folder", lambda study: _instead(study / "study.db", lambda path: path.mkdir())
    yield "record is a pipe", lambda study: _instead(study / "study.db", os.mkfifo)
    yield (
        "record is a device",
        lambda study: _instead(study / "study.db", lambda path: path.symlink_to("/dev/zero")),
    )
    yield "record is a loop", lambda study: _instead(study / "study.db", lambda path: path.symlink_to(path))
    yield "record is empty", lambda study: (study / "study.db").write_bytes(b"")
    yield "record is text", lambda study: (study / "study.db").write_bytes(b"dear diary" * 99)
    yield "record is random behind its beginning", _scrambled
    yield "record is cut", lambda study: os.truncate(study / "study.db", 9000)
    yield "record of another program", _foreign
    for table, column, first, present in _json_columns(sound):
        values = ("[]", "{}", '"x"', "{", "", "null", NESTED) if first else ("[]", "{")
        for value in [value for value in values if value != present]:
            yield f"{table}.{column} = {value[:5]}", _changed(table, column, value)
    yield "participant.pseudonym odd", _changed("participant", "pseudonym", "../<b>=1+1\n")
    for name in ("lock.json", "plan.json", "outcome.json", "key", "heartbeat", "engine.log"):
        for what, content in (
            ("nested", NESTED.encode()),
            ("not UTF-8", b"\xff\xfe"),
            ("a list", b"[1, 2, 3]"),
            ("odd types", b'{"pid": "x", "boot": [], "start": {}, "host": 3, "session_id": null, "port": 1e999}'),
            ("huge numbers", b'{"pid": 1' + b"0" * 400 + b', "host": "' + socket.gethostname().encode() + b'"}'),
        ):
            yield f"{name} {what}", _engine_file(name, content)
    for what, content in (
        ("nested", NESTED.encode() + b"\n"),
        ("not UTF-8", b"\xff\xfe\n"),
        ("a list", b"[1]\n"),
        ("odd types", b'{"seq": "x", "hash": 1, "study": []}\n'),
        ("empty", b""),
    ):
        yield f"anchors {what}", _with("anchors.jsonl", content)
        yield f"session ledger {what}", _with("recordings/somebody.ledger.jsonl", content)
    yield "anchors are a pipe", lambda study: _instead(study / "anchors.jsonl", os.mkfifo)
    yield (
        "anchors are a device",
        lambda study: _instead(study / "anchors.jsonl", lambda path: path.symlink_to("/dev/zero")),
    )
    yield "recordings are a file", lambda study: _instead(study / "recordings", Path.touch)
    yield "recording is gone", lambda study: (study / "recordings" / "run-1.xdf").unlink()
    yield "recording is a pipe", lambda study: _instead(study / "recordings" / "run-1.xdf", os.mkfifo)
    yield (
        "recording is a device",
        lambda study: _instead(study / "recordings" / "run-1.xdf", lambda path: path.symlink_to("/dev/zero")),
    )
    yield (
        "recording is flipped",
        lambda study: _damages()["flip in the middle"](study / "recordings" / "run-1.xdf"),
    )
    yield "no right to the record", lambda study: (study / "study.db").chmod(0)
    yield "no right to the folder", lambda study: study.chmod(0)
    yield "no right to the recordings", lambda study: (study / "recordings").chmod(0)


def _instead(path: Path, make: Callable[[Path], object]) -> object:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return make(path)


def _with(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda study: (study / name).write_bytes(content)


def _engine_file(name: str, content: bytes) -> Callable[[Path], object]:
    def write(study: Path) -> object:
        (study / "engine").mkdir(mode=0o700, exist_ok=True)
        return (study / "engine" / name).write_bytes(content)

    return write


def _scrambled(study: Path) -> object:
    path = study / "study.db"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    return path.write_bytes(data)


def _foreign(study: Path) -> object:
    (study / "study.db").unlink()
    with closing(sqlite3.connect(study / "study.db")) as other:
        other.execute("CREATE TABLE bookmarks (a)")
        other.commit()
    return None


def _json_columns(study: Path) -> list[tuple[str, str, bool, str]]:
    """Table, column, whether it is the first of its table, and its value, of all JSON in the record."""
    found = []
    with closing(sqlite3.connect(study / "study.db")) as record:
        names = [name for (name,) in record.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(name for name in names if not name.startswith(("audit", "sqlite"))):
            row = record.execute(f'SELECT * FROM "{table}"').fetchone()
            columns = [column[1] for column in record.execute(f'PRAGMA table_info("{table}")')]
            held = zip(columns, row or ())
            of_json = [(c, value) for c, value in held if isinstance(value, str) and value[:1] in ("{", "[")]
            found += [(table, column, k == 0, value) for k, (column, value) in enumerate(of_json)]
    return found


def _changed(table: str, column: str, value: str) -> Callable[[Path], object]:
    """Somebody with another program changed a column, past the triggers."""

    def change(study: Path) -> object:
        with closing(sqlite3.connect(study / "study.db")) as record:
            triggers = record.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
            ).fetchall()
            for name, _ in triggers:
                record.execute(f'DROP TRIGGER "{name}"')
            record.execute(f'UPDATE "{table}" SET "{column}" = ?', (value,))
            for _, sql in triggers:
                record.execute(sql)
            record.commit()
        return None

    return change
