"""Three streams of one person: the same samples in any blocks, and each with its own delay and stalls."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.devices import simulated_limb
from workbench.devices._stream_player import PacedOutlet
from workbench.devices.simulated_limb import EMG_ACTIVE_UV, EMG_FS, EMG_REST_UV, IMU_FS, Limb
from workbench.errors import BadValue


def test_a_contract_line_for_each_stream_with_its_rate_role_and_delay():
    eeg, emg, imu = simulated_limb.specs({"source_id": "s", "emg_delay_s": 0.05})
    assert [(line.role, line.fs, line.source_id) for line in (eeg, emg, imu)] == [
        ("signal", 250.0, "s"),
        ("emg", 2000.0, "s-emg"),
        ("imu", 100.0, "s-imu"),
    ]
    assert [line.delay_s for line in (eeg, emg, imu)] == [0.0, 0.05, 0.0]
    with pytest.raises(BadValue, match="needs the option source_id"):
        simulated_limb.specs({})


def test_any_blocks_give_the_same_muscle_and_movement():
    limb = Limb(4)
    limb.person.cue(0.5, "hands", 1.0)
    for signal, n in ((limb.emg, 5000), (limb.imu, 310)):
        whole = signal(0, n)
        cuts = [0, 7, 8, n // 3, n - 1, n]
        parts = [signal(first, last - first) for first, last in zip(cuts, cuts[1:], strict=False)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        assert signal(n, 0).shape == (0, whole.shape[1])


def test_the_muscle_follows_the_intent_and_the_hand_shakes_while_it_moves():
    limb = Limb(4)
    attempt = limb.person.cue(1.0, "hands", 2.0)
    start, stop = attempt.start / 250.0, attempt.stop / 250.0
    emg, imu = limb.emg(0, round(5 * EMG_FS)), limb.imu(0, round(5 * IMU_FS))
    active = slice(round((start + 0.3) * EMG_FS), round(stop * EMG_FS))
    assert emg[active].std() == pytest.approx(EMG_ACTIVE_UV, rel=0.05)
    assert emg[: round(start * EMG_FS)].std() == pytest.approx(EMG_REST_UV, rel=0.05)
    moving = slice(round((start + 0.3) * IMU_FS), round(stop * IMU_FS))
    assert imu[moving].std(axis=0).min() > 5 * imu[: round(start * IMU_FS)].std(axis=0).max()
    assert imu[:, 2].mean() == pytest.approx(9.81, abs=0.2)


@pytest.mark.parametrize(
    ("now_s", "delivered_s"), [(0.9, 0.9), (2.5, 2.0), (3.1, 3.1), (12.4, 12.0), (13.5, 13.5)]
)
def test_a_stall_holds_samples_back_and_loses_none(now_s, delivered_s):
    (eeg, *_) = simulated_limb.specs({"source_id": "s"})
    outlet = PacedOutlet(eeg, Limb(4).emg, None, ({"at_s": 2.0, "for_s": 1.0, "every_s": 10.0},))
    assert outlet.due(now_s) == pytest.approx(delivered_s * 250.0, abs=1)
