"""Lights with words: one fault, one word."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.errors import BadSignal, BadValue
from workbench.signals import ChannelQuality, QualityMonitor, montage_state
from workbench.signals.quality import QualityLimits

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
    n_channels = 19
    samples = np.random.default_rng(2).normal(0.0, 10.0, (700, n_channels))
    samples[5:9, 2], samples[:, 9] = np.nan, 1.0
    names = tuple(f"c{i}" for i in range(n_channels))
    for n in (200, 700):  # before the ring is full, and after it began again
        together = QualityMonitor(250.0, names, mains_hz=50.0)
        together.step(samples[:n])
        alone = [QualityMonitor(250.0, (name,), mains_hz=50.0) for name in names]
        for channel, monitor in enumerate(alone):
            monitor.step(np.ascontiguousarray(samples[:n, channel : channel + 1]))
        for one, other in zip(together.report(), alone, strict=True):
            (by_itself,) = other.report()
            assert (one.name, one.state, one.code) == (by_itself.name, by_itself.state, by_itself.code)
            assert (one.rms_uv, one.line_ratio) == pytest.approx((by_itself.rms_uv, by_itself.line_ratio))


@pytest.mark.parametrize("n", [126, 499, 500, 501, 512, 525, 1730])
def test_the_figures_are_those_of_the_last_seconds(n):
    rng = np.random.default_rng(n)
    x = rng.normal(0, 20, (n, 3)) + [0.0, 40000.0, -7.0]
    x[:, 1] += 30 * np.sin(2 * np.pi * 50 * np.arange(n) / FS)
    x[rng.random(n) < 0.2, 2] = np.nan
    x[max(0, n - 500), 2] = 1.0
    monitor = QualityMonitor(FS, ["a", "b", "c"])
    monitor.step(x)
    # Of the blocks of 25 samples the newest may not be full.
    length = n if n <= 500 else 475 + (n - 1) % 25 + 1
    expected = naive.rms_and_line(x[n - length :], 2 * np.pi * 50 / FS)
    got = np.array([[one.rms_uv, one.line_ratio] for one in monitor.report()])
    np.testing.assert_allclose(got[:2], expected[:2], rtol=1e-9)
    # A window may begin with a missing value, which is the one before it.
    np.testing.assert_allclose(got[2], expected[2], rtol=0.02, atol=1e-3)


def test_a_stretch_without_change_is_as_long_as_it_is_across_blocks_and_forgotten_with_them():
    monitor = QualityMonitor(FS, ["a"], limits=QualityLimits(flat_s=0.3))
    flat = np.where(
        (np.arange(2000) >= 510) & (np.arange(2000) < 586), 5.0, np.random.default_rng(0).normal(0, 20, 2000)
    )
    codes = []
    for at in range(0, 2000, 5):
        monitor.step(flat[at : at + 5, None])
        codes.append(monitor.report()[0].code if at >= 500 else "")
    flagged = [5 * k + 5 for k, code in enumerate(codes) if code == "flat"]
    # 75 equal to the one before are 0.3 s; the first are in the block of samples 500 to 524, forgotten after 1000.
    assert (flagged[0], flagged[-1]) == (590, 1000)
