"""A presenter before a photodiode: what a sound one gives, and each fault that is planted in one."""

from __future__ import annotations

import json
import threading
import uuid

import numpy as np
import pytest

from workbench.conformance import conform_presenter
from workbench.conformance.presenter import ShownMarker, _judged, light_changes, match_light, read_marker
from workbench.devices import lsl
from workbench.errors import BadValue, StreamFault
from workbench.signals.reception import Reception
from workbench.vocabulary import StreamSpec

FS, HZ = 1000.0, 60.0
SCREEN_S = 0.004
"""Delay of the simulated screen, s."""


def frames(n=80, seed=1):
    """The frame of each change: flashes 9 frames apart with longer rests between."""
    steps = np.random.default_rng(seed).choice([9, 9, 9, 30], n)
    return 60 + np.cumsum(steps)


def photodiode(changes, seconds, *, fs=FS, seed=2):
    """What a photodiode sees of a square that changes at these times: light in mV, and its stamps in s."""
    stamps = np.arange(round(seconds * fs)) / fs
    bright = np.searchsorted(np.sort(changes), stamps, side="right") % 2
    # Light rises within a few milliseconds; the amplifier adds noise.
    kernel = np.ones(max(1, round(0.003 * fs)))
    light = np.convolve(bright, kernel / len(kernel))[: len(stamps)]
    return 40.0 + 200.0 * light + np.random.default_rng(seed).normal(0.0, 4.0, len(stamps)), stamps


def session(fault="none", fs=FS):
    """Markers and photodiode of one presentation with a fault planted."""
    shown = frames()
    markers = [ShownMarker(f"stim:{k}:on", at / HZ, float(at), HZ) for k, at in enumerate(shown)]
    light = shown / HZ + SCREEN_S
    if fault == "late frame":
        light[40] += 1 / HZ
    elif fault == "dropped frame":
        # From here on everything is shown, and marked, a frame later; the presenter counted on as if it had been.
        light[40:] += 1 / HZ
        markers = [ShownMarker(m.label, m.stamp + (k >= 40) / HZ, m.frame, HZ) for k, m in enumerate(markers)]
    elif fault == "nothing shown":
        light = np.delete(light, [40])
    elif fault == "no marker":
        del markers[40]
    elif fault == "planned stamps":
        light += 0.035
    elif fault == "jitter":
        light += np.random.default_rng(3).uniform(0.0, 1.2 / HZ, len(light))
    elif fault == "dark":
        light = light[:0]
    elif fault == "few":
        markers, light = markers[:10], light[:10]
    elif fault == "unsaid":
        markers = [ShownMarker(m.label, m.stamp) for m in markers]
    return markers, *photodiode(light, shown[-1] / HZ + 1.0, fs=fs)


def faults_of(fault, *, fs=FS):
    received = Reception(fs)
    return {
        check.key for check in _judged(match_light(*session(fault, fs)), received, delay_ms=0.0) if not check.held
    }


def test_the_delay_of_a_sound_presenter_is_measured_to_about_a_sample():
    figures = match_light(*session())
    # The light has risen half after half a sample.
    assert figures.median_s == pytest.approx(SCREEN_S + 0.0005, abs=0.0007)
    assert figures.p99_s < 0.0015
    # The delay of the screen is an error, unless it is stated.
    assert figures.error_ms(0.0) == pytest.approx(1000 * SCREEN_S, abs=2.5)
    assert figures.error_ms(1000 * SCREEN_S) < 2.5
    assert (figures.n, figures.n_missing, figures.n_unmarked, figures.n_late, figures.n_miscounted) == (
        80,
        0,
        0,
        0,
        0,
    )
    assert figures.n_counted == 79
    assert faults_of("none") == set()


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("late frame", {"late", "frames"}),
        ("dropped frame", {"frames"}),
        ("nothing shown", {"shown"}),
        ("no marker", {"marked"}),
        ("planned stamps", {"delay"}),
        ("jitter", {"late", "spread", "frames", "delay"}),
        ("dark", {"shown", "delay", "spread", "late"}),
        ("few", {"markers"}),
        ("unsaid", {"refresh", "sampled", "spread"}),
    ],
)
def test_a_planted_fault_is_found_and_nothing_else(fault, found):
    assert faults_of(fault) == found


def test_a_stated_delay_is_no_fault():
    markers, light, stamps = session("planned stamps")
    checks = _judged(match_light(markers, light, stamps), Reception(FS), delay_ms=35.0)
    assert all(check.held for check in checks)


def test_a_photodiode_that_is_sampled_too_seldom_does_not_hold():
    assert "sampled" in faults_of("none", fs=200.0)


def test_a_backlight_that_is_dimmed_by_pulses_gives_one_change_each():
    stamps = np.arange(2000) / 2000.0
    pulses = 0.75 + 0.25 * np.sign(np.sin(2 * np.pi * 240.0 * stamps))
    times = light_changes(np.where(stamps >= 0.5, 1.0, 0.0) * np.where(pulses > 0.6, 1.0, 0.75), stamps)
    assert times == pytest.approx([0.5], abs=0.002)


def test_markers_without_a_change_of_light_are_left_out():
    assert read_marker("stim:3:on", 1.0) == ShownMarker(
        "stim:3:on", 1.0, *2 * [pytest.approx(np.nan, nan_ok=True)]
    )
    assert read_marker(json.dumps({"label": "B", "frame": 12, "refresh_hz": 60}), 1.0) == ShownMarker(
        "B", 1.0, 12, 60
    )
    assert read_marker("disturbed: page hidden", 1.0) is None
    assert read_marker(json.dumps({"label": "disturbed: 2 frames dropped"}), 1.0) is None
    assert read_marker(json.dumps({"kind": "run", "params": {}}), 1.0) is None


class Screen:
    """A presenter and a photodiode on LSL, from a thread of their own."""

    def __init__(self):
        name = uuid.uuid4().hex[:8]
        self.names = (f"markers-{name}", f"light-{name}")
        self._markers = lsl.Outlet(
            StreamSpec(self.names[0], "Markers", 0.0, source_id=self.names[0], role="markers")
        )
        spec = StreamSpec(self.names[1], "Light", FS, ("other", "diode"), "mV", source_id=self.names[1])
        self._light, self._over = lsl.Outlet(spec), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        t0, sent, shown = lsl.local_clock(), 0, 0
        at = frames(1000) / HZ
        light, _ = photodiode(at + SCREEN_S, 20.0)
        while not self._over.wait(0.02):
            now = lsl.local_clock() - t0
            while at[shown] <= now:
                frame = round(at[shown] * HZ)
                marker = {"label": f"stim:{shown % 9 + 1}:on", "frame": frame, "refresh_hz": HZ}
                self._markers.push_text(json.dumps(marker), t0 + at[shown])
                shown += 1
            rows = np.arange(sent, min(int(now * FS), len(light)))
            self._light.push(np.column_stack([np.zeros(len(rows)), light[rows]]), t0 + rows / FS)
            sent += len(rows)

    def close(self):
        self._over.set()
        self._thread.join()
        self._markers.close()
        self._light.close()


@pytest.fixture(scope="module")
def screen():
    made = Screen()
    yield made
    made.close()


def test_a_presenter_on_the_network_gets_its_certificate(screen):
    certificate = conform_presenter(*screen.names, channel="diode", seconds=6.0)
    # Clock offsets are of a computer that may be busy.
    assert {check.key for check in certificate.checks if not check.held} <= {
        "clock_markers",
        "clock_light",
        "loss",
    }
    assert certificate.kind == "presenter"
    assert certificate.check("shown").measured.startswith("0 of ")
    assert certificate.check("delay").measured.startswith("median +4.")
    assert certificate.about["refresh rate"] == "60 Hz"


def test_what_cannot_be_tested_is_refused_in_a_sentence(screen):
    markers, light = screen.names
    with pytest.raises(BadValue, match="--seconds must be 3 to 600, got nan"):
        conform_presenter(markers, light, seconds=float("nan"))
    with pytest.raises(BadValue, match="--delay-ms must be -250 to 250, got 900"):
        conform_presenter(markers, light, delay_ms=900.0)
    with pytest.raises(BadValue, match="are two streams, got 'x' twice"):
        conform_presenter("x", "x")
    with pytest.raises(BadValue, match="--channel must name .* got ''; it has other, diode"):
        conform_presenter(markers, light)
    with pytest.raises(StreamFault, match="has 1000 samples a second; a presenter sends markers"):
        conform_presenter(light, markers)
