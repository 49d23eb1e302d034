"""Every entry of the device folder keeps the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shares import some
from workbench import devices
from workbench.errors import BadValue, UnknownName

NAMES = devices.available()
PLAYERS = [name for name in NAMES if devices.load(name).player]


def test_the_folder_is_the_register():
    assert {"lsl", "replay", "serial_line", "simulated_glove", "simulated_participant"} <= set(NAMES)
    with pytest.raises(UnknownName, match="available: lsl"):
        devices.load("amplifier")


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_describes_itself_in_one_sentence(name):
    device = devices.load(name)
    assert isinstance(device, devices.Device)
    assert device.description.endswith(".")
    assert device.player == bool(device.options)
    assert all(option.isidentifier() and words for option, words in device.options.items())


@pytest.mark.parametrize("name", some(NAMES, of=3))
def test_an_entry_is_described_without_loading_amplifier_software_or_readers(name):
    code = (
        f"import sys; from workbench import devices; devices.load({name!r});"
        "print(*[m for m in ('pylsl', 'mne', 'scipy.signal', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", some(PLAYERS, of=3))
def test_a_player_without_what_it_needs_says_so_in_the_handshake_and_ends(name):
    done = subprocess.run(
        [sys.executable, "-m", f"workbench.devices.{name}", "--json", "{}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    (line,) = done.stdout.splitlines()
    message = json.loads(line)
    assert message["ready"] is False
    assert len(message["error"]) > 20
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", PLAYERS)
def test_an_option_a_player_does_not_know_is_refused_before_it_starts(name):
    with pytest.raises(BadValue, match=f"{name} has no option 'colour'; it has "):
        devices.start(name, {"colour": "red"})


@pytest.mark.parametrize("name", PLAYERS)
def test_what_a_player_makes_is_labelled(name):
    device = devices.load(name)
    assert device.simulated or name in ("replay", "serial_line")  # what they send is no simulation


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "devices" / f"test_{name}.py").is_file()
