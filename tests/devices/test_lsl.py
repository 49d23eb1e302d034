"""LSL: the stream contract and its sentences, raw stamps, clock offsets, and 64 channels at 1 kHz."""

from __future__ import annotations

import dataclasses
import os
import queue
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest

from tests.processes import suspend
from workbench.devices import _lsl_library, lsl
from workbench.errors import BadSignal, BadValue, StreamFault
from workbench.vocabulary import StreamSpec


def spec_of(**changes):
    base = StreamSpec("amp", "ECoG", 1000.0, ("E1", "E2"), "uV", uuid.uuid4().hex)
    return dataclasses.replace(base, **changes)


SENDS = """
import sys, time, pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("amp", "ECoG", 2, 1000.0, "float32", sys.argv[1]))
print(flush=True)
while True:
    outlet.push_sample([0.0, 0.0])
    time.sleep(0.01)
"""


@pytest.fixture
def amplifier_process():
    """An amplifier of its own process, and that process; it does not outlive its test."""
    spec = spec_of()
    process = subprocess.Popen([sys.executable, "-c", SENDS, spec.source_id], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield spec, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_an_outlet_that_stands_still_before_the_first_pull_holds_nobody_longer_than_was_asked(amplifier_process):
    """liblsl itself waits for ever there; the inlet must have asked for the description before."""
    spec, process = amplifier_process
    seen = lsl.connect(spec.source_id).seen
    (info,) = _lsl_library.library().resolve_byprop("source_id", spec.source_id, 1, 10.0)
    inlet = lsl.Inlet(spec, info, seen=seen)
    suspend(process.pid)
    ended = threading.Event()

    def pull():
        for _ in range(3):
            inlet.pull(0.1)
        ended.set()

    threading.Thread(target=pull, daemon=True).start()
    assert ended.wait(30.0)


def test_no_inlet_is_opened_but_where_its_description_is_asked_for_first():
    room = Path(lsl.__file__).parents[1]
    those = {p.name for p in room.rglob("*.py") if "library().StreamInlet(" in p.read_text("utf-8")}
    assert those == {"_lsl_library.py", "_lsl_seen.py"}


def test_an_outlet_that_stands_still_before_it_is_opened_is_refused(amplifier_process):
    spec, process = amplifier_process
    (info,) = _lsl_library.library().resolve_byprop("source_id", spec.source_id, 1, 10.0)
    suspend(process.pid)
    with pytest.raises(StreamFault, match="amp"):
        lsl.Inlet(spec, info, timeout=0.5)


@pytest.fixture
def amplifier():
    spec = spec_of()
    outlet = lsl.Outlet(spec, desc={"speed": 2.0, "t0": 0.1, "simulated": True})
    yield spec
    outlet.close()


def test_the_library_is_named_and_new_enough():
    found = lsl.check_library()
    assert found.version >= 116
    assert found.info


def test_discovery_is_confined_to_this_computer():
    found = lsl.configure()
    text = found.path.read_text("utf-8")
    assert found.own
    assert found.confined
    assert "ResolveScope=machine" in text
    assert "KnownPeers={127.0.0.1}" in text
    assert os.environ["LSLAPICFG"] == str(found.path)
    if hasattr(os, "getuid"):
        assert found.path.parent.stat().st_mode & 0o077 == 0


IN_NEW_PORTS = """
import sys
from workbench.devices import lsl
from workbench.errors import WorkbenchError
from workbench.vocabulary import StreamSpec
outlets = []
try:
    while len(outlets) < 200:
        outlets.append(lsl.Outlet(StreamSpec(f"s{len(outlets)}", "EEG", 0.0, source_id=f"s{len(outlets)}")))
    print("no limit")
except WorkbenchError as error:
    print(len(outlets), error)
seen = lsl.watcher()
import time
time.sleep(3.0)
print(sum(stream.name.startswith("s") for stream in seen()), "found")
"""


def test_an_outlet_that_nobody_would_find_is_refused():
    """liblsl announces it at a port at which nobody asks, and says nothing."""
    env = {k: v for k, v in os.environ.items() if k != "LSLAPICFG"} | {"WORKBENCH_LSL_PORT": "20572"}
    made = subprocess.run(
        [sys.executable, "-c", IN_NEW_PORTS], env=env, capture_output=True, text=True, check=True
    )
    refusal, found = made.stdout.splitlines()
    n_outlets, words = refusal.split(" ", 1)
    assert words.startswith("stream 's")
    assert "the UDP ports 20572 to 20699, at which LSL streams are looked for" in words
    assert 100 < int(n_outlets) <= 128
    assert found == f"{n_outlets} found"


def test_the_configuration_in_force_says_where_streams_are_found_whatever_the_variable_says(tmp_path):
    """A process may inherit a configuration that was written with another value of the variable, or with none."""
    file = tmp_path / "lsl_api.cfg"
    file.write_text(
        f"{_lsl_library.OWN}\n[ports]\nIPv6=disable\nMulticastPort=20771\nBasePort=20772\nPortRange=6\n"
        "[multicast]\nResolveScope=machine\nListenAddress=127.0.0.1\n[lab]\nKnownPeers={127.0.0.1}\n[log]\nlevel=-2\n",
        encoding="utf-8",
    )
    env = os.environ | {"LSLAPICFG": str(file), "WORKBENCH_LSL_PORT": "20972"}
    made = subprocess.run(
        [sys.executable, "-c", IN_NEW_PORTS], env=env, capture_output=True, text=True, check=True
    )
    refusal, found = made.stdout.splitlines()
    n_outlets, words = refusal.split(" ", 1)
    assert "the UDP ports 20772 to 20777, at which LSL streams are looked for" in words
    assert 1 <= int(n_outlets) <= 6
    assert found == f"{n_outlets} found"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", range(16572, 16604)),
        ("[ports]\nBasePort = 17000\n", range(17000, 17032)),
        ("PortRange=4\n", range(16572, 16576)),
    ],
)
def test_what_a_configuration_leaves_out_is_as_liblsl_has_it(text, ports, tmp_path, monkeypatch):
    file = tmp_path / "lsl_api.cfg"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(_lsl_library, "_used", [file])
    assert _lsl_library.searched_ports() == ports


@pytest.mark.parametrize("stated", ["x", "80", "65500", "1e4", "٣٤٥٦"])
def test_a_first_port_that_is_none_is_named_with_what_is_allowed(stated):
    env = {k: v for k, v in os.environ.items() if k != "LSLAPICFG"} | {"WORKBENCH_LSL_PORT": stated}
    asked = "from workbench.devices import lsl; lsl.configure()"
    made = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=False)
    assert f"a number above 1024 and up to 65407, got {stated!r}; 16572 is LSL's own" in made.stderr


IN_A_NEW_PROCESS = [
    (
        "",
        "lsl.configure(peers=['amp-pc.local'], session_id='s1')",
        "True False KnownPeers={127.0.0.1, amp-pc.local}",
    ),
    ("/etc/hostname", "lsl.configure()", "False False -"),
]


@pytest.mark.parametrize(("given", "call", "expected"), IN_A_NEW_PROCESS, ids=["peers", "site's own file"])
def test_a_site_can_add_its_amplifier_computer_or_keep_its_own_configuration(given, call, expected):
    code = (
        f"from workbench.devices import lsl; c = {call}; t = c.path.read_text()\n"
        "print(c.own, c.confined, next((x for x in t.splitlines() if 'Peers' in x), '-'))"
    )
    env = {k: v for k, v in os.environ.items() if k != "LSLAPICFG"} | ({"LSLAPICFG": given} if given else {})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_a_configuration_for_other_peers_comes_too_late_when_liblsl_runs():
    lsl.local_clock()
    with pytest.raises(StreamFault, match="already runs in this process"):
        lsl.configure(peers=["10.0.0.7"])


@pytest.mark.parametrize("bad", ["a b", "x}\nLevel=9", ""])
def test_a_peer_that_could_write_into_the_configuration_is_refused(bad):
    with pytest.raises(BadValue, match="letters, digits"):
        lsl.configure(peers=[bad])


def test_a_missing_library_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    monkeypatch.setattr(_lsl_library, "_used", [])
    with pytest.raises(StreamFault, match=r"glibc older than 2\.35.*conda install"):
        lsl.check_library()


def test_samples_and_stamps_arrive_as_they_were_sent_and_texts_too():
    spec = spec_of(channels=("a", "b", "c"))
    words = spec_of(name="words", type="Markers", fs=0.0, channels=(), role="markers")
    numbers, texts = lsl.Outlet(spec, dtype="double64"), lsl.Outlet(words)
    found = lsl.resolve([spec, words], timeout=10)
    values, stamps = np.arange(30.0).reshape(10, 3) / 7, 5.0 + np.arange(10) / 300
    numbers.push(values, stamps)
    texts.push_text('{"label": "左手 é"}', 3.25)
    got, at = np.zeros((0, 3)), np.zeros(0)
    while len(at) < 10:
        more, when = found["amp"].pull(5.0)
        assert len(when), "nothing more came"
        got, at = np.concatenate([got, more]), np.concatenate([at, when])
    assert np.array_equal(got, values)
    assert np.array_equal(at, stamps)
    said, when = found["words"].pull(5.0)
    assert (said, when.tolist()) == (['{"label": "左手 é"}'], [3.25])
    nothing, never = found["amp"].pull(0.0)
    assert (nothing.shape, never.shape) == ((0, 3), (0,))
    for inlet in found.values():
        inlet.close()


def test_the_description_carries_speed_t0_simulated_and_the_process(amplifier):
    inlet = lsl.connect(amplifier.source_id)
    seen = inlet.seen
    assert (seen.speed, seen.t0, seen.simulated, seen.channels) == (2.0, 0.1, True, ("E1", "E2"))
    assert (seen.extra["pid"], seen.units) == (str(os.getpid()), ("uV", "uV"))
    inlet.close()
    assert any(s.source_id == amplifier.source_id and s.channels == ("E1", "E2") for s in lsl.discover(1.0))


def test_a_missing_stream_is_named_with_what_was_seen_instead():
    there = spec_of(name=f"amp-{uuid.uuid4().hex[:6]}")
    outlet = lsl.Outlet(there)
    with pytest.raises(StreamFault) as fault:
        lsl.resolve([dataclasses.replace(there, source_id="another")], timeout=2.0)
    outlet.close()
    text = str(fault.value)
    assert f"stream '{there.name}' (type 'ECoG', source_id 'another') was not found within 2 s" in text
    assert f"seen instead: '{there.name}' (type 'ECoG', source_id '{there.source_id}', 2 channels, 1000 Hz" in text
    assert f"pid {os.getpid()})" in text
    assert "Start its source, or correct name, type and source_id" in text


def test_duplicates_are_named_both_with_host_process_and_source_id(amplifier):
    code = (
        "import sys; from workbench.devices import lsl; from workbench.vocabulary import StreamSpec\n"
        f"o = lsl.Outlet(StreamSpec('amp', 'ECoG', 1000.0, ('E1', 'E2'), 'uV', {amplifier.source_id!r}))\n"
        "print('on', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"on\n"
        with pytest.raises(StreamFault) as fault:
            lsl.resolve([amplifier], timeout=5.0)
        other.stdin.close()
    text = str(fault.value)
    assert "stream 'amp' was found 2 times" in text
    assert text.count(f"source_id '{amplifier.source_id}'") == 2
    assert f"pid {os.getpid()})" in text
    assert f"pid {other.pid})" in text
    assert text.count("host ") == 2
    assert "Stop the one" in text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fs": 500.0}, "rate is 1000 Hz, expected 500 Hz"),
        ({"channels": ("E1", "E2", "E3")}, r"it has 2 channels, expected 3 \(E1, E2, E3\)"),
        ({"channels": ("E1", "X2")}, "channel 2 is 'E2', expected 'X2'"),
        ({"unit": "g"}, "unit of channel 'E1' is 'uV', expected 'g'"),
        ({"fs": 0.0, "channels": (), "role": "markers"}, "float32 numbers; markers are text or integer codes"),
    ],
)
def test_what_differs_from_the_contract_is_said_with_got_expected_and_remedy(amplifier, changes, sentence):
    with pytest.raises(StreamFault, match=sentence) as fault:
        lsl.resolve([dataclasses.replace(amplifier, **changes)], timeout=5.0)
    assert "Correct the setting of the device, or the contract" in str(fault.value)


def test_everything_that_is_wrong_is_said_at_once_and_spellings_of_a_unit_are_one(amplifier):
    missing = spec_of(name="emg", type="EMG")
    wrong = dataclasses.replace(amplifier, fs=250.0)
    with pytest.raises(StreamFault) as fault:
        lsl.resolve([wrong, missing], timeout=1.0)
    assert len(str(fault.value).splitlines()) == 2
    found = lsl.resolve([dataclasses.replace(amplifier, unit="µV")], timeout=5.0)
    found["amp"].close()


def test_a_waiver_is_for_non_critical_streams_of_the_contract_only(amplifier):
    extra = spec_of(name="emg", type="EMG", critical=False)
    with pytest.raises(StreamFault, match="can also be waived, with a reason"):
        lsl.resolve([amplifier, extra], timeout=1.0)
    found = lsl.resolve([amplifier, extra], timeout=1.0, waived=["emg"])
    assert list(found) == ["amp"]
    found["amp"].close()
    with pytest.raises(BadValue, match="'amp' is critical and cannot be waived"):
        lsl.resolve([amplifier], waived=["amp"])
    with pytest.raises(BadValue, match="'eog' is not in the contract; it has amp"):
        lsl.resolve([amplifier], waived=["eog"])
    with pytest.raises(BadValue, match="got 'amp' 2 times"):
        lsl.resolve([amplifier, amplifier])
    with pytest.raises(BadValue, match="timeout must be above 0 s"):
        lsl.resolve([amplifier], timeout=0)


def test_what_an_outlet_leaves_unsaid_is_noted():
    spec = spec_of()
    bare = lsl.Outlet(dataclasses.replace(spec, channels=()), n_channels=2)
    declared = dataclasses.replace(spec, unit="V", unit_declared_by="Dr Lin")
    inlet = lsl.resolve([declared], timeout=5.0)["amp"]
    assert [note.split(";")[0] for note in inlet.notes] == [
        "stream 'amp' announces no channel names",
        "stream 'amp' announces no unit",
    ]
    assert "declared by Dr Lin" in inlet.notes[1]
    assert (inlet.units.source, inlet.units.factors.tolist()) == ("declared", [1e6, 1e6])
    inlet.close()
    with pytest.raises(StreamFault, match=r"announces no unit.*unit_declared_by.*unit_waived"):
        lsl.resolve([spec], timeout=5.0)
    waived = lsl.resolve([dataclasses.replace(spec, unit_waived="on loan")], timeout=5.0)["amp"]
    assert waived.units.source == "waived"
    waived.close()
    bare.close()


@pytest.mark.parametrize(("announced", "factor"), [("microvolts", 1.0), ("V", 1e6), ("mV", 1e3)])
def test_the_unit_of_an_outlet_is_scaled_to_microvolts_at_the_door_and_its_text_is_kept(announced, factor):
    spec = spec_of()
    outlet = lsl.Outlet(dataclasses.replace(spec, unit=announced))
    inlet = lsl.resolve([spec], timeout=5.0)["amp"]
    assert (inlet.units.text, inlet.units.factors.tolist()) == (announced, [factor, factor])
    assert announced in inlet.notes[0]
    inlet.close()
    outlet.close()


def test_a_clock_offset_has_an_uncertainty_and_is_given_once(amplifier):
    inlet = lsl.connect(amplifier.source_id)
    first = inlet.offset(5.0)
    assert first is not None
    assert abs(first.offset) < 0.05
    assert 0 < first.uncertainty < 0.2
    assert inlet.offset(0.0) is None
    measured = queue.SimpleQueue()
    inlet.clock(measured.put, every=0.05)
    second, third = measured.get(timeout=10), measured.get(timeout=10)
    inlet.close()
    assert first.remote < second.remote < third.remote
    assert first.time < second.time < third.time


def test_after_the_source_has_gone_no_old_offset_is_given_as_new():
    spec = spec_of()
    outlet = lsl.Outlet(spec)
    inlet = lsl.connect(spec.source_id)
    assert inlet.offset(5.0) is not None
    outlet.close()
    late = []
    while (again := inlet.offset(2.6)) is not None:
        late.append(again)
    assert len(late) <= 1
    assert inlet.offset(0.2) is None
    inlet.close()


def test_an_outlet_checks_what_it_is_given():
    with pytest.raises(BadValue, match="needs a source_id"):
        lsl.Outlet(spec_of(source_id=""))
    with pytest.raises(BadValue, match="dtype must be one of"):
        lsl.Outlet(spec_of(), dtype="float16")
    with pytest.raises(BadValue, match="plain name"):
        lsl.Outlet(spec_of(), desc={"a b": 1})
    outlet = lsl.Outlet(spec_of())
    with pytest.raises(BadSignal, match=r"must be \(3, 2\), got \(3, 1\)"):
        outlet.push(np.zeros((3, 1)), np.zeros(3))
    outlet.push(np.zeros((0, 2)), np.zeros(0))
    outlet.close()


SENDER = """
import sys, time, numpy as np
from workbench.devices import lsl
from workbench.vocabulary import StreamSpec
spec = StreamSpec("wide", "EEG", 1000.0, tuple(f"c{i}" for i in range(64)), "uV", sys.argv[1])
out = lsl.Outlet(spec, dtype="double64", desc={"simulated": True})
assert out.wait_for_receiver(20)
t0, n, total = lsl.local_clock(), 0, int(sys.argv[2])
while n < total:
    due = min(int((lsl.local_clock() - t0) * 1000), total)
    if due > n:
        rows = np.repeat(np.arange(n, due, dtype=float)[:, None], 64, axis=1)
        out.push(rows, t0 + np.arange(n, due) / 1000)
        n = due
    time.sleep(0.01)
sys.stdin.read()
"""


def test_64_channels_at_1_khz_arrive_from_another_process_without_loss_or_doubling():
    key, total = uuid.uuid4().hex, 6000
    spec = StreamSpec("wide", "EEG", 1000.0, tuple(f"c{i}" for i in range(64)), "uV", key)
    with subprocess.Popen([sys.executable, "-c", SENDER, key, str(total)], stdin=subprocess.PIPE) as sender:
        inlet = lsl.resolve([spec], timeout=15)["wide"]
        blocks, n = [], 0
        while n < total:
            values, stamps = inlet.pull(10.0)
            assert len(stamps), f"nothing more came after {n} samples"
            blocks.append(values)
            n += len(stamps)
        inlet.close()
        sender.stdin.close()
    samples = np.concatenate(blocks)
    assert np.array_equal(samples, np.repeat(np.arange(total, dtype=float)[:, None], 64, axis=1))


def test_importing_the_package_and_its_entries_loads_no_amplifier_software():
    names = ["lsl", "simulated_participant", "simulated_glove"]
    code = f"import sys, workbench.devices as d\n[d.load(n) for n in {names}]\nprint('pylsl' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "False"
