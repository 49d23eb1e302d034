"""A forearm that swings while a cue asks for it: the same samples in any blocks."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.devices import simulated_rower
from workbench.devices.simulated_rower import FS, NOISE, RATE_HZ, Rower
from workbench.errors import BadValue


def test_its_stream_is_an_imu_and_needs_an_id_of_its_own():
    line = simulated_rower.spec({"source_id": "s"})
    assert (line.type, line.fs, line.unit, line.source_id) == ("IMU", 100.0, "m/s^2", "s")
    with pytest.raises(BadValue, match="simulated_rower needs the option source_id"):
        simulated_rower.spec({})


def test_any_blocks_give_the_same_movement():
    rower = Rower(4)
    rower.cue(1.0, "pull")
    rower.cue(4.0, "rest")
    whole = rower.samples(0, 700)
    cuts = [0, 7, 8, 250, 699, 700]
    parts = [rower.samples(first, last - first) for first, last in zip(cuts, cuts[1:], strict=False)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert rower.samples(700, 0).shape == (0, 2)


def test_it_swings_at_a_rate_of_its_own_while_it_is_asked_to_and_is_still_else():
    rower = Rower(4)
    assert RATE_HZ[0] <= rower.rate_hz <= RATE_HZ[1]
    rower.cue(10.0, "pull")
    rower.cue(40.0, "rest")
    samples = rower.samples(0, 5000)[:, 0]
    for still in (samples[:1000], samples[4100:]):
        assert still.std() == pytest.approx(NOISE, rel=0.15)
    moving = samples[1200:3900] - samples[1200:3900].mean()
    spectrum = np.abs(np.fft.rfft(moving, 2**16))
    assert np.fft.rfftfreq(2**16, 1 / FS)[spectrum.argmax()] == pytest.approx(rower.rate_hz, abs=0.01)


def test_the_rate_must_be_possible():
    for options in ({"speed": 0}, {"block_s": float("nan")}):
        with pytest.raises(BadValue, match="of simulated_rower must be above 0"):
            simulated_rower._body({"source_id": "s", **options}, None)
