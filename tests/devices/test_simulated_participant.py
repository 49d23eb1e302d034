"""The simulated participant: what its signal is made of, that nothing depends on the block, and the player."""

from __future__ import annotations

import dataclasses
import json
import stat
import uuid
from dataclasses import dataclass

import numpy as np
import pytest

from workbench import devices
from workbench.devices import _participant, lsl
from workbench.devices.simulated_participant import EEG, GRID, NEO, PRESETS, REASONS, SimParticipant, render
from workbench.errors import BadValue, UnknownName
from workbench.vocabulary import StreamSpec


@dataclass(frozen=True)
class Cue:
    at_s: float
    label: str
    duration_s: float


GRASPS = [Cue(3.0 + 8.0 * k, "grasp", 3.0) for k in range(15)]


@pytest.fixture(scope="module")
def recording():
    return render(3, GRASPS, 123.0)


def spectrum(samples, fs, n=2000):
    """Mean periodogram over Hann windows that overlap by half: ``(n_freqs, n_channels)``."""
    window = np.hanning(n)[:, None]
    starts = range(0, len(samples) - n + 1, n // 2)
    power = sum(np.abs(np.fft.rfft(samples[s : s + n] * window, axis=0)) ** 2 for s in starts) / len(starts)
    return np.fft.rfftfreq(n, 1 / fs), power * 2 / (fs * (window**2).sum())


def slope(f, power, low, high):
    inside = (f >= low) & (f <= high)
    return np.array([np.polyfit(np.log(f[inside]), np.log(power[inside, c]), 1)[0] for c in range(power.shape[1])])


def band_power(samples, fs, low, high, spans):
    """Mean band power over spans ``(from_s, to_s)`` of equal length, ``(n_channels,)``."""
    total = 0.0
    for begin, end in spans:
        part = samples[round(begin * fs) : round(end * fs)]
        f = np.fft.rfftfreq(len(part), 1 / fs)
        power = np.abs(np.fft.rfft(part * np.hanning(len(part))[:, None], axis=0)) ** 2
        total = total + power[(f >= low) & (f <= high)].mean(axis=0)
    return total / len(spans)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_person():
    first, again, other = (render(seed, GRASPS, 20.0)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    people = [SimParticipant(seed) for seed in range(60)]
    assert all(0.25 <= p.erd <= 0.45 and 0.10 <= p.gamma_gain <= 0.35 for p in people)
    assert np.ptp([p.erd for p in people]) > 0.15


def test_a_person_who_begins_again_where_the_noise_was_kept_has_the_same_bits():
    made = SimParticipant(5).step(22_000)
    _participant.keep_beginnings(9)
    try:
        kept, again = SimParticipant(5).step(22_000), SimParticipant(5).step(22_000)
        segments = [index for seed, _, index in _participant._BEGINNINGS if seed == 5]
    finally:
        _participant.keep_beginnings(0)
        _participant._BEGINNINGS.clear()
    assert np.array_equal(made, kept)
    assert np.array_equal(made, again)
    assert sorted(segments) == list(range(9))


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_any_block_length_gives_the_same_bits(preset):
    label = PRESETS[preset].patterns[0][0]
    cues = [Cue(1.0, label, 2.0), Cue(3.0, "rest", 4.0), Cue(7.0, label, 2.0)]
    whole, intent = render(4, cues, 13.0, physiology=preset)
    for size in (1, 7, 250, 4099):
        person, n = SimParticipant(4, physiology=preset), len(whole) if size > 1 else 300
        for cue in cues:
            person.cue(cue.at_s, cue.label, cue.duration_s)
        parts = []
        while person.n_seen < n:
            parts.append(person.step(min(size, n - person.n_seen)))
            assert len(person.step(0)) == 0
        assert np.array_equal(np.concatenate(parts), whole[:n])
    assert set(np.unique(intent)) == {0.0, 1.0}


def test_a_cue_that_comes_a_reaction_time_early_gives_the_same_bits_as_one_known_from_the_start(recording):
    samples, _ = recording
    person, parts, waiting = SimParticipant(3), [], list(GRASPS)
    while person.n_seen < 60_000:
        if waiting and person.n_seen / 1000 >= waiting[0].at_s:
            cue = waiting.pop(0)
            person.cue(cue.at_s, cue.label, cue.duration_s)
        parts.append(person.step(20))
    assert np.array_equal(np.concatenate(parts), samples[:60_000])
    assert all(attempt.late == 0 for attempt in person.attempts)


@pytest.mark.release
def test_background_exponents_are_those_of_the_cortical_surface():
    """4.0 ± 0.1 for 80–500 Hz, 2.0 ± 0.4 below the knee near 70 Hz (doi:10.1371/journal.pcbi.1000609)."""
    alone = dataclasses.replace(NEO, amplifier_uv=0.0, mu_uv=0.0, beta_uv=0.0)
    f, power = spectrum(render(5, [], 240.0, physiology=alone)[0], 1000.0)
    assert np.abs(slope(f, power, 80, 495) + 4.0).max() < 0.1
    assert np.abs(slope(f, power, 2, 60) + 2.0).max() < 0.4


def test_scalp_background_falls_with_one_to_one_and_a_half_and_has_an_alpha_peak_behind():
    alone = dataclasses.replace(EEG, amplifier_uv=0.0, mu_uv=0.0, beta_uv=0.0, alpha_uv=0.0)
    f, power = spectrum(render(5, [], 240.0, physiology=alone)[0], 250.0, n=1000)
    assert (np.abs(slope(f, power, 3, 100) + 1.25) < 0.25).all()
    f, power = spectrum(render(5, [], 120.0, physiology=EEG)[0], 250.0, n=1000)
    peak = power[(f >= 9) & (f <= 11)].mean(axis=0) / power[(f >= 5) & (f <= 6)].mean(axis=0)
    assert peak[EEG.channels.index("Pz")] > 1.5 * peak[EEG.channels.index("FCz")]


def test_the_amplifier_floor_is_between_06_and_1_uv():
    silent = dataclasses.replace(NEO, background_uv=1e-9, mu_uv=0.0, beta_uv=0.0)
    rms = render(1, [], 20.0, physiology=silent)[0].std(axis=0)
    assert ((rms > 0.6) & (rms < 1.0)).all()


@pytest.mark.release
def test_channels_share_less_the_farther_apart_they_are():
    alone = dataclasses.replace(NEO, amplifier_uv=0.0, mu_uv=0.0, beta_uv=0.0)
    shared = np.corrcoef(render(2, [], 240.0, physiology=alone)[0].T)
    assert shared[0, 1] > shared[0, 2] + 0.1 > shared[0, 3] + 0.1
    assert shared[0, 3] < 0.35


def test_attempts_lower_mu_and_beta_and_raise_high_gamma_most_at_the_first_channels(recording):
    samples, intent = recording
    on = [(c.at_s + 1.2, c.at_s + 3.0) for c in GRASPS]
    off = [(c.at_s - 1.8, c.at_s) for c in GRASPS]
    bands = ((8, 12), (17, 27), (60, 140))
    ratio = {b: band_power(samples, 1000.0, *b, on) / band_power(samples, 1000.0, *b, off) for b in bands}
    assert ratio[8, 12][:2].mean() < 0.9
    assert ratio[17, 27][:2].mean() < 0.92
    assert 1.2 < ratio[60, 140][:2].mean() < 1.9
    assert ratio[60, 140][:2].mean() > ratio[60, 140][-2:].mean() + 0.1
    assert intent.mean() == pytest.approx(15 * 3 / 123, rel=0.1)


@pytest.mark.release
def test_the_power_of_the_bands_changes_by_what_the_person_drew():
    """Over many attempts, at the channel of weight 1: ERD 25–45 % of band power, gamma gain 10–35 %."""
    cues = [Cue(2.0 + 6.0 * k, "grasp", 4.0) for k in range(60)]
    samples, _ = render(3, cues, 362.0)
    person = SimParticipant(3)
    on = [(c.at_s + 1.5, c.at_s + 4.0) for c in cues]
    still, _ = render(3, [], 362.0)
    ratio = {
        b: band_power(samples[:, :1], 1000.0, *b, on) / band_power(still[:, :1], 1000.0, *b, on) for b in BANDS
    }
    assert 1 - ratio[8, 12][0] == pytest.approx(person.erd, abs=0.05)
    assert 1 - ratio[17, 27][0] == pytest.approx(person.erd, abs=0.09)
    assert np.sqrt(ratio[65, 135][0]) - 1 == pytest.approx(person.gamma_gain, abs=0.03)


BANDS = ((8, 12), (17, 27), (65, 135))


def drive_of(cues, n, **changes):
    """The envelope of the one pattern for these cues, read where it acts: high gamma alone, gain 1 + g."""
    p = dataclasses.replace(NEO, amplifier_uv=0.0, mu_uv=0.0, gamma_gain=(0.0, 0.0), **changes)
    person = SimParticipant(3, physiology=p)
    for cue in cues:
        person.cue(cue.at_s, cue.label, cue.duration_s)
    drive, rebound = person._drive(0, n)
    return person.attempts, drive[:, 0], rebound[:, 0]


def test_the_envelope_is_causal_and_has_a_time_constant_of_a_quarter_second():
    (attempt,), drive, _ = drive_of([Cue(1.0, "grasp", 3.0)], 8000)
    assert (drive[: attempt.start] == 0).all()
    assert drive[attempt.start + 250] == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert drive[attempt.stop + 250] / drive[attempt.stop - 1] == pytest.approx(np.exp(-1), abs=0.01)


def test_beta_rebounds_half_a_second_to_1300_ms_after_the_stop():
    (attempt,), _, rebound = drive_of([Cue(1.0, "grasp", 3.0)], 8000)
    (where,) = np.nonzero(rebound)
    assert (where[0], where[-1]) == (attempt.stop + 500, attempt.stop + 1299)
    assert rebound.max() == pytest.approx(1.0, abs=1e-4)
    assert NEO.rebound == 0.6


def test_left_and_right_lower_mu_over_the_other_hemisphere():
    cues = [Cue(3.0 + 8.0 * k, ("left", "right")[k % 2], 4.0) for k in range(30)]
    samples, _ = render(6, cues, 245.0, physiology="eeg")
    mu = {
        side: band_power(samples, 250.0, 8, 12, [(c.at_s + 1.2, c.at_s + 4.0) for c in cues if c.label == side])
        for side in ("left", "right")
    }
    log_ratio = np.log(mu["left"] / mu["right"])
    assert log_ratio[EEG.channels.index("C3")] > 0.1
    assert log_ratio[EEG.channels.index("C4")] < -0.1


def test_a_late_cue_takes_effect_at_the_next_sample_and_says_how_late():
    person = SimParticipant(1)
    person.step(3000)
    attempt = person.cue(1.0, "grasp", 3.0)
    assert attempt.start == 3000
    assert attempt.late > 1000


def test_rest_ends_an_open_attempt_and_a_repeated_end_changes_nothing():
    person = SimParticipant(1)
    opened = person.cue(1.0, "grasp")
    assert opened.stop == -1
    person.cue(4.0, "rest", 5.0)
    stop = person.attempts[0].stop
    assert 4200 <= stop <= 4500
    person.cue(9.0, "rest", 5.0)
    assert person.attempts[0].stop == stop


def test_conditions_are_named_by_the_user():
    hands = {"T1": "hands", "T2": "feet"}
    person = SimParticipant(1, physiology="eeg", conditions=hands)
    assert [person.pattern(x) for x in ("T1", "T2", "left", "rest", "other")] == ["hands", "feet", "left", "", ""]
    assert SimParticipant(1).pattern("whatever") == "grasp"


def test_bad_settings_are_refused():
    with pytest.raises(BadValue, match="seed must be 0 or above, got -1"):
        SimParticipant(-1)
    with pytest.raises(BadValue, match="must map to left or right or hands or feet, got 'tongue'"):
        SimParticipant(1, physiology="eeg", conditions={"T1": "tongue"})
    with pytest.raises(UnknownName, match="available: neo, eeg"):
        SimParticipant(1, physiology="strong")


def test_parameters_are_frozen_hashed_and_each_has_its_reason():
    montage = {"name", "kind", "fs", "channels", "positions_mm", "alpha_weights"}
    assert set(REASONS) == {f.name for f in dataclasses.fields(NEO)} - montage
    assert NEO.sha256() == "518e8b67d53dbc4b756b3db46747a61dcc5fc8cf1f3e2e16fc8ed89acd15549d"
    assert dataclasses.replace(NEO, tau_s=0.26).sha256() != NEO.sha256()
    with pytest.raises(dataclasses.FrozenInstanceError):
        NEO.tau_s = 1.0


@pytest.fixture
def cued(tmp_path):
    """A participant at 4×, its signal inlet, the cue outlet, and the intent file."""
    key = uuid.uuid4().hex
    cues = lsl.Outlet(StreamSpec("test-cues", "Markers", 0.0, source_id=f"{key}-cues", role="markers"))
    path = tmp_path / "intent.jsonl"
    options = {"source_id": key, "seed": 9, "speed": 4, "cue_source_id": f"{key}-cues", "intent_path": str(path)}
    player = devices.start("simulated_participant", options)
    try:
        (inlet,) = lsl.resolve(player.streams).values()
        assert cues.wait_for_receiver(10)
        yield inlet, cues, path
        inlet.close()
    finally:
        devices.stop(player)


def test_the_player_follows_cues_at_4x_with_stamps_of_the_nominal_rate_and_the_bits_of_a_rendering(cued):
    inlet, cues, path = cued
    t0 = inlet.seen.t0
    assert (inlet.seen.speed, inlet.seen.simulated, inlet.seen.fs) == (4.0, True, 1000.0)
    begun = lsl.local_clock()
    onset = t0 + (begun - t0) * 4.0 + 2.0
    cue = {"kind": "cue", "label": "grasp", "stamp": onset, "duration_s": 3.0, "trial": 0}
    cues.push_text("not json", onset)
    cues.push_text(json.dumps({"kind": "note", "label": "", "stamp": onset}), onset)
    cues.push_text(json.dumps(cue), onset)
    values, stamps = [], []
    while not stamps or stamps[-1][-1] < onset + 5.0:
        got, at = inlet.pull(5.0)
        assert len(at), "the stream stopped"
        values.append(got)
        stamps.append(at)
    wall = lsl.local_clock() - begun
    samples, at = np.concatenate(values), np.concatenate(stamps)
    index = np.round((at - t0) * 1000.0).astype(int)
    assert np.abs(at - (t0 + index / 1000.0)).max() < 1e-6
    assert (np.diff(index) == 1).all()
    assert (at[-1] - begun - (begun - t0) * 3.0) / wall > 2.0
    header, *attempts = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert header["seed"] == 9
    assert header["parameters_sha256"] == NEO.sha256()
    assert [(a["label"], a["late"]) for a in attempts] == [("grasp", 0)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    expected, _ = render(9, [Cue(onset - t0, "grasp", 3.0)], (index[-1] + 1) / 1000.0)
    assert np.array_equal(expected[index].astype(np.float32), samples)


def high_gamma(person, seconds):
    """Mean square of each channel in the band that follows activity, µV²."""
    samples = person.step(round(seconds * person.physiology.fs))
    spectrum = np.abs(np.fft.rfft(samples, axis=0)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / person.physiology.fs)
    low, high = person.physiology.gamma_hz
    return spectrum[(hertz > low) & (hertz < high)].mean(axis=0)


def test_each_channel_of_the_grid_follows_its_own_direction_and_what_is_meant_follows_the_cursor():
    weights = dict(GRID.patterns)
    right, left = np.array(weights["right"]), np.array(weights["left"])
    assert not (right * left).any()
    assert right.max() == left.max() == pytest.approx(1.0)

    def moved(position):
        person = SimParticipant(4, physiology="grid")
        person.cue(0.0, "right", 60.0)
        person.step(1000)
        if position is not None:
            person.see(position)
        return high_gamma(person, 8.0)

    still = SimParticipant(4, physiology="grid")
    still.step(1000)
    rest = high_gamma(still, 8.0)
    # Seen or not, right of the centre is right; past the target it is left, and on it nothing is meant.
    for position, meant in ((None, right), ((0.0, 0.0), right), ((2.0, 0.0), left)):
        gain = moved(position) / rest
        assert gain[meant > 0.9].min() > 1.2
        assert gain[meant == 0].max() < 1.1
    assert (moved((1.0, 0.0)) / rest).max() < 1.1


def test_an_effort_scales_what_an_attempt_does_to_the_signal_and_nothing_else():
    def power(efforts):
        person = SimParticipant(3, physiology="neo", efforts=efforts)
        person.step(1000)
        person.cue(1.0, "half", 3.0)
        samples = person.step(3000)[1500:]
        return person.attempts, (samples**2).mean()

    (full_attempts, full), (half_attempts, half), (_, none) = (
        power(efforts) for efforts in ({}, {"half": 0.5}, {"half": 0.0})
    )
    assert full_attempts == half_attempts
    assert min(full, none) < half < max(full, none)
    with pytest.raises(BadValue, match=r"effort of condition 'half' must be 0 to 1, got 1\.5"):
        SimParticipant(3, efforts={"half": 1.5})
