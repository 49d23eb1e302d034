"""Lights with words: one fault, one word."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadSignal, BadValue
from workbench.signals import ChannelQuality, QualityMonitor, montage_state
from workbench.signals.quality import TOGETHER

FS = 250.0
T = np.arange(500) / FS
NOISE = np.random.default_rng(0).normal(0, 20, 500)


def line(size):
    return size * np.sin(2 * np.pi * 50 * T)


def holes(n):
    x = NOISE.copy()
    x[100 : 100 + n] = np.nan
    return x


CASES = {
    "good": (NOISE, "good", "good"),
    "offset": (NOISE + 40000, "good", "good"),
    "nan": (holes(20), "bad", "nan"),
    "one_nan": (holes(2), "check", "nan"),
    "all_nan": (np.full(500, np.nan), "bad", "nan"),
    "flat": (np.full(500, 7.0), "bad", "flat"),
    "stuck": (np.where(T > 1.5, 5.0, NOISE), "bad", "flat"),
    "dead": (NOISE * 1e-4, "bad", "flat"),
    "rail": (np.clip(NOISE * 100, -1500, 1500), "bad", "rail"),
    "mains": (NOISE + line(200), "bad", "line_noise"),
    "some_mains": (NOISE + line(50), "check", "line_noise"),
    "large": (NOISE * 100, "bad", "amplitude"),
    "largish": (NOISE * 15, "check", "amplitude"),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_fault_has_its_word(case):
    signal, state, code = CASES[case]
    monitor = QualityMonitor(FS, ["C3", "C4"])
    monitor.step(np.stack([signal, NOISE], axis=1))
    first, second = monitor.report()
    assert (first.name, first.state, first.code) == ("C3", state, code)
    assert second.code == "good"
    assert monitor.state() == state
    assert np.isfinite([first.rms_uv, first.line_ratio]).all()


def test_a_known_rail_is_found_at_once():
    monitor = QualityMonitor(FS, ["C3"], rail_uv=187500.0)
    x = NOISE.copy()
    x[300] = 187500.0
    monitor.step(x[:, None])
    assert monitor.report()[0].code == "rail"


def test_rules_about_size_and_mains_can_be_off():
    monitor = QualityMonitor(FS, ["acc"], unit="m/s2", mains_hz=0.0)
    monitor.step((NOISE * 100 + line(9999))[:, None])
    assert monitor.report()[0].state == "good"
    assert monitor.report()[0].line_ratio == 0.0


def test_chunks_are_invisible_and_only_the_last_seconds_count():
    x = np.concatenate([np.full(5000, 3.0), NOISE])[:, None]
    whole, cut = QualityMonitor(FS, ["C3"]), QualityMonitor(FS, ["C3"])
    whole.step(x)
    for first in range(0, len(x), 13):
        cut.step(x[first : first + 13])
    cut.step(x[:0])
    assert whole.report() == cut.report()
    assert whole.report()[0].code == "good"


def test_nothing_is_said_before_there_is_something_to_judge():
    monitor = QualityMonitor(FS, ["C3"])
    assert (monitor.report(), monitor.state()) == ([], "check")
    monitor.step(NOISE[:200, None])
    assert monitor.state() == "good"
    monitor.reset()
    assert monitor.report() == []


def test_the_montage_is_as_good_as_its_worst_channel():
    def lights(*states):
        return [ChannelQuality("x", state, "good", 1.0, 0.0) for state in states]

    assert montage_state(lights("good", "good")) == "good"
    assert montage_state(lights("good", "check")) == "check"
    assert montage_state(lights("bad", "check", "good")) == "bad"


def test_what_the_monitor_cannot_use_is_refused():
    with pytest.raises(BadValue, match="above 0"):
        QualityMonitor(0.0, ["C3"])
    with pytest.raises(BadSignal, match=r"\(n_times, 1\)"):
        QualityMonitor(FS, ["C3"]).step(np.zeros((5, 2)))


def test_each_channel_is_judged_as_if_it_were_alone():
    n_channels = 2 * TOGETHER + 3
    samples = np.random.default_rng(2).normal(0.0, 10.0, (700, n_channels))
    samples[5:9, 2], samples[:, 9] = np.nan, 1.0
    names = tuple(f"c{i}" for i in range(n_channels))
    for n in (200, 700):  # before the ring is full, and after it began again
        together = QualityMonitor(250.0, names, mains_hz=50.0)
        together.step(samples[:n])
        alone = [QualityMonitor(250.0, (name,), mains_hz=50.0) for name in names]
        for channel, monitor in enumerate(alone):
            monitor.step(np.ascontiguousarray(samples[:n, channel : channel + 1]))
        assert together.report() == [monitor.report()[0] for monitor in alone]
