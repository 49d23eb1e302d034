"""The last metre with real processes: link, controller and a glove of its own, on LSL."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.processes import resume, suspend
from workbench import devices
from workbench.devices import lsl
from workbench.devices._pairing import _place
from workbench.errors import BadValue, EngineFault, StreamFault
from workbench.stress.strangers import LinkBench, taken_by_stranger
from workbench.vocabulary import StreamSpec

ENGINE = """
import sys
from pathlib import Path
from workbench import devices
from workbench.stress.strangers import LinkBench
bench = LinkBench(devices.pairing(Path(sys.argv[1]), "glove"), "killed")
assert bench.self_test()
bench.arm()
assert bench.close_hand()
print("closed", flush=True)
bench.run(lambda: False, timeout=60)
"""
"""A process that holds the hand closed until it is killed."""


@pytest.fixture
def glove(tmp_path):
    """Start a glove of its own with these options; all end with the test."""
    started = []
    paired = devices.pairing(tmp_path, "glove")

    def start(**options):
        usual = {"pairing": str(paired.path), "loss": 0.0, "idle_s": 20.0, "seed": 3}
        started.append(devices.start("simulated_glove", usual | options, owned=False))
        return paired, started[-1]

    yield start
    for player in started:
        devices.stop(player)


@pytest.fixture
def closing_engine(tmp_path):
    """Start a process that closes the hand and holds it closed; it is killed with the test."""
    started = []

    def start():
        command = [sys.executable, "-c", ENGINE, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "closed\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_no_stranger_takes_the_effector_in_any_order(tmp_path):
    figures = taken_by_stranger(2, folder=tmp_path)
    assert figures.taken == 0
    assert figures.passed, figures.text()


def test_a_killed_engine_leaves_a_glove_that_makes_itself_safe_and_is_found_again(glove, closing_engine):
    paired, player = glove()
    engine = closing_engine()
    assert devices.watch_status(paired, until=lambda s: s.level == 1.0, timeout=20.0).state == "following"
    os.kill(engine.pid, signal.SIGKILL)
    safe = devices.watch_status(paired, timeout=20.0)
    assert (safe.state, safe.level, safe.locked) == ("safe", 0.0, True)
    assert devices.running_device(paired) == player.pid
    with pytest.raises(EngineFault, match="a device already runs with this pairing"):
        devices.start("simulated_glove", {"pairing": str(paired.path)})
    bench = LinkBench(paired, "next")
    assert bench.self_test()
    bench.close()


def test_a_frozen_engine_gets_no_second_hold_when_it_wakes(glove, closing_engine):
    paired, _ = glove(vent_s=0.5)
    engine = closing_engine()
    suspend(engine.pid)
    devices.watch_status(paired, until=lambda s: s.state in ("holding", "venting", "safe"), timeout=20.0)
    resume(engine.pid)
    seen = []
    devices.watch_status(paired, until=lambda s: bool(seen.append(s.state)) or s.is_safe, timeout=20.0)
    assert "following" not in seen


def test_stop_without_an_engine_is_confirmed_by_the_device_itself(glove, closing_engine):
    paired, _ = glove()
    engine = closing_engine()
    suspend(engine.pid)
    stopped = devices.stop_device(paired, "test", timeout=20.0)
    assert (stopped.state, stopped.level, stopped.locked) == ("stopped", 0.0, True)


def test_stop_says_not_acknowledged_while_the_glove_is_frozen(glove):
    paired, player = glove()
    bench = LinkBench(paired, "frozen")
    assert bench.self_test()
    bench.arm()
    assert bench.close_hand()
    suspend(player.pid)
    try:
        bench.link.estop("pinched")
        bench.run(lambda: False, timeout=1.5)
        said = bench.link.snapshot()
        assert said["stop"]["sent"]
        assert (said["stop"]["acknowledged_after_s"], said["stop"]["confirmed"]) == (None, False)
        assert said["confirmed"]["level"] == 1.0
        assert said["confirmed"]["age_s"] > 1.0
        rows = bench.ledger.shown()
        assert "STOP sent, not acknowledged" in next(r for r in rows if r["kind"] == "estop")["consequence"]
        assert not [r for r in rows if r["kind"].startswith("stop_")]
    finally:
        resume(player.pid)
    assert bench.run(lambda: bench.link.snapshot()["stop"]["confirmed"])
    kinds = [r["kind"] for r in bench.ledger.shown()]
    assert {"stop_acknowledged", "stop_confirmed"} <= set(kinds)
    bench.close()


def test_a_stop_before_any_key_was_agreed_or_after_it_was_lost_agrees_on_one_and_is_confirmed(glove):
    paired, player = glove()
    bench = LinkBench(paired, "early")
    bench.link.estop("pinched")
    assert not bench.link.snapshot()["stop"]["sent"]
    assert bench.run(lambda: bench.link.snapshot()["stop"]["confirmed"])
    assert bench.link.snapshot()["stop"]["sent"]
    assert bench.self_test()
    devices.stop(player)
    _, again = glove()
    bench.run(lambda: bench.link.state != "IDLE_SAFE")
    bench.link.estop("pinched again")
    assert bench.run(lambda: bench.link.snapshot()["stop"]["confirmed"])
    assert devices.running_device(paired) == again.pid
    bench.close()


def test_the_pairing_key_is_nowhere_but_in_its_file(glove):
    paired, player = glove()
    bench = LinkBench(paired, "secret")
    assert bench.self_test()
    texts = (paired.key().hex(), paired.key().hex().upper())
    process = psutil.Process(player.pid)
    said = " ".join([*process.cmdline(), *process.environ().values(), *os.environ.values()])
    headers = " ".join(repr(seen) for seen in lsl.discover(1.0) if seen.source_id.endswith(paired.link_id))
    recorded = " ".join(map(repr, [*bench.commands, *bench.seen, *bench.ledger.shown()]))
    bench.close()
    assert str(paired.path) in said
    assert paired.link_id in headers
    for text in texts:
        assert text not in said + headers + recorded + player.log.read_text()
    assert (paired.path.stat().st_mode & 0o777, paired.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_suspended_computer_is_seen_by_the_boot_clock_and_the_glove_vents(glove, tmp_path):
    """The device process is handed a boot clock that jumps: simulated, since a test cannot suspend a computer."""
    offset = tmp_path / "boot"
    offset.write_text("0")
    paired, _ = glove(boot_clock=str(offset))
    bench = LinkBench(paired, "suspended")
    assert bench.self_test()
    bench.arm()
    assert bench.close_hand()
    offset.write_text("30")
    assert bench.run(lambda: bench.confirmed["state"] in ("venting", "safe"))
    assert bench.run(lambda: bench.link.state == "FAULT_SAFE")
    assert bench.run(lambda: bench.confirmed["level"] == 0.0)
    assert "holding" not in [s.state for s in bench.seen]
    bench.close()


def test_a_glove_without_an_engine_ends_by_itself(glove):
    paired, player = glove(idle_s=0.5)
    player.process.wait(20.0)
    assert devices.running_device(paired) is None
    with pytest.raises(StreamFault, match="no signed status came"):
        devices.watch_status(paired, timeout=0.5)


def test_a_glove_stays_while_an_engine_that_has_not_agreed_on_a_key_is_there(glove):
    paired, player = glove(idle_s=4.0)
    name = paired.source_id("commands")
    engine = lsl.Outlet(StreamSpec("wb-commands", "Commands", 0.0, source_id=name, role="markers"))
    with pytest.raises(subprocess.TimeoutExpired):
        player.process.wait(8.0)
    engine.close()
    player.process.wait(60.0)


def test_an_orderly_end_leaves_no_glove(glove):
    paired, player = glove()
    bench = LinkBench(paired, "end")
    assert bench.self_test()
    bench.close()
    player.process.wait(20.0)
    assert devices.running_device(paired) is None
    assert devices.end_device(paired) is False


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    paired = devices.pairing(tmp_path, "glove")
    assert devices.pairing(tmp_path, "glove").key() == paired.key()
    os.chmod(paired.path, 0o644)
    with pytest.raises(EngineFault, match="can be read by other accounts"):
        paired.key()
    os.chmod(paired.path, 0o600)
    for text in ("", "zz", "ab", "00" * 31):
        paired.path.write_text(text)
        with pytest.raises(EngineFault, match="pair"):
            paired.key()


def test_an_account_that_has_configured_nothing_yet_can_be_paired(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "home" / ".config" / "workbench" / "keys"))
    assert devices.pairing(tmp_path, "glove").key() == devices.pairing(tmp_path, "glove").key()


def test_the_same_code_gives_the_same_key_on_another_computer_and_another_code_does_not():
    code = devices.new_pairing_code()
    assert re.fullmatch(r"([A-Z2-9]{4}-){3}[A-Z2-9]{4}", code)
    here = devices.pair_by_code("room-3", "glove", code)
    key = here.key()
    here.path.unlink()
    assert devices.pair_by_code("room-3", "glove", code.lower().replace("-", " ")).key() == key
    other = devices.new_pairing_code()
    assert devices.pair_by_code("room-3", "glove", other).key() != key
    with pytest.raises(BadValue, match="lower-case letters"):
        _place("../../x", "glove")


def test_a_pairing_code_that_is_short_or_mistyped_in_any_one_place_is_refused_and_makes_no_key():
    code = devices.new_pairing_code().replace("-", "")
    wrong = [code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :] for at in range(len(code))]
    for typed in wrong:
        with pytest.raises(BadValue, match="one of them is mistyped"):
            devices.pair_by_code("room-4", "glove", typed)
    for typed in ("", "1234", code[:-1], code + "A", code[:-1] + "0"):
        with pytest.raises(BadValue, match="16 letters and digits"):
            devices.pair_by_code("room-4", "glove", typed)
    assert not _place("room-4", "glove").path.exists()


@pytest.mark.parametrize(
    ("minutes", "words"), [(16, "16 minutes ago"), (-16, "16 minutes ahead"), (9000, "expired")]
)
def test_a_pairing_code_expires(minutes, words):
    made = 1.8e9
    code = devices.new_pairing_code(now=made)
    assert devices.pair_by_code("room-5", "glove", code, now=made + 14 * 60).key()
    with pytest.raises(BadValue, match=words):
        devices.pair_by_code("room-5", "glove", code, now=made + minutes * 60)


def test_two_processes_that_pair_at_once_get_the_same_key(tmp_path):
    keys, begin = [], threading.Barrier(4)

    def pair():
        begin.wait()
        keys.append(devices.pairing(tmp_path / "both", "glove").key())

    threads = [threading.Thread(target=pair) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert list(Path(os.environ["WORKBENCH_KEYS"]).rglob("*.part")) == []
