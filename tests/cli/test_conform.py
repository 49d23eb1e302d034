"""`workbench conform`: a table, a certificate, and an exit code that is 0 only when every fact holds."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path

import pytest

from workbench.devices import lsl
from workbench.hardware import certificates
from workbench.study import Study
from workbench.vocabulary import StreamSpec

TIMED = {
    "statuses",
    "round_trip",
    "acknowledged",
    "lapse",
    "safe_state",
    "stop",
    "woken",
    "woken_safe",
    "takeover",
}
"""Facts that a busy computer may spoil."""


@pytest.mark.release
def test_a_device_written_from_the_protocol_alone_holds_and_gets_its_certificate(inside, tmp_path):
    script = Path(__file__).parents[1] / "conformance" / "foreign_effector.py"
    study = tmp_path / "study"
    Study.create(study, code="N", title="t", actor="tests").close()
    places = ("--out", tmp_path / "hand", "--study", study)
    said = inside("conform", "effector", *places, "--json", "--", sys.executable, script)
    answer = json.loads(said.out)
    assert said.code == (0 if answer["ok"] else 1)
    assert answer["ok"] == all(check["held"] for check in answer["result"]["checks"])
    assert [check for check in answer["result"]["checks"] if not check["held"] and check["key"] not in TIMED] == []
    written = json.loads((tmp_path / "hand.json").read_text(encoding="utf-8"))
    assert written["checks"] == answer["result"]["checks"]
    kept = certificates.load(study, "glove")
    assert kept.driver == written["about"]["driver"] == "foreign 1.0"
    assert len(kept.failed) == sum(not check["held"] for check in written["checks"])
    assert written["files"][str(script)] == hashlib.sha256(script.read_bytes()).hexdigest()
    assert "A STOP with an old number" in (tmp_path / "hand.txt").read_text(encoding="utf-8")
    assert said.err.splitlines()[0] == "nobody may be in the effector: it closes and opens several times"


def test_an_effector_that_cannot_be_tested_is_refused(inside, tmp_path):
    inside("conform", "effector", "no such program").refused("got 'no such program', which is none")
    inside("conform", "effector", "--effector", "arm", "--", sys.executable).refused("no entry 'arm'")
    (tmp_path / "there.json").mkdir()
    inside("conform", "effector", "--out", tmp_path / "there", "--", sys.executable).refused("is no regular file")
    inside("conform", "effector", "--study", tmp_path, "--", sys.executable).refused("there is no study record at")
    inside("conform", "presenter", "m", "diode", "--study", tmp_path).refused("there is no study record at")
    words = "cannot be written"
    inside("conform", "effector", "--out", tmp_path / "no" / "folder", "--", sys.executable).refused(words)
    inside("conform", "effector", "--", sys.executable, "-c", "").refused("ended with exit code 0 before")


def test_a_presenter_that_is_not_there_is_refused(inside, tmp_path):
    (tmp_path / "there.json").mkdir()
    inside("conform", "presenter", "absent", "diode", "--out", tmp_path / "there").refused("is no regular file")
    inside("conform", "presenter", "absent", "diode").refused("no stream 'absent' was found")


def test_a_stream_that_sends_nothing_or_is_not_there_is_refused(inside):
    inside("conform", "stream", "absent", "--seconds", 3).refused("no stream 'absent' was found")
    name = f"silent-{uuid.uuid4().hex[:8]}"
    outlet = lsl.Outlet(StreamSpec(name, "EEG", 100.0, ("C3",), source_id=name))
    inside("conform", "stream", name, "--seconds", 3).refused("sent nothing for 3 s")
    outlet.close()


@pytest.mark.parametrize("seconds", ["x", "nan", "1", "1e9"])
def test_a_time_that_is_none_is_refused_at_once(inside, seconds):
    if seconds == "x":
        with pytest.raises(SystemExit, match="2"):
            inside("conform", "stream", "x", "--seconds", seconds)
    else:
        inside("conform", "stream", "x", "--seconds", seconds).refused("--seconds must be 3 to 86400")
