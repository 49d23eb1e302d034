"""Contractions by two published detectors, and an envelope that the pulses of a stimulator do not make."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, signal

from workbench.errors import BadSignal, BadValue
from workbench.signals import emg

FS = 1000.0
BAND = (20.0, 450.0)


def muscle(rng, n, size=1.0):
    """EMG of a muscle: noise between 30 and 200 Hz, µV."""
    b = signal.butter(2, (30.0, 200.0), "bandpass", fs=FS, output="sos")
    x = signal.sosfilt(b, rng.normal(size=n + 500))[500:]
    return size * x / x.std()


def contractions(n=20, *, seed=0, ratio=4.0):
    """A wave of rest and contractions of 0.5 s every 1.5 s, and where each begins."""
    rng = np.random.default_rng(seed)
    wave, begins = muscle(rng, round((n * 1.5 + 1.5) * FS), 5.0), []
    for k in range(n):
        at = round((1.5 + 1.5 * k) * FS) + int(rng.integers(0, 200))
        wave[at : at + 500] += muscle(rng, 500, 5.0 * ratio)
        begins.append(at)
    return wave, begins


def errors(found, begins):
    """Error of each contraction that was found, samples; and how many were not, and were false."""
    near = [[a - at for a, _ in found if abs(a - at) < 250] for at in begins]
    hits = [min(one, key=abs) for one in near if one]
    return hits, len(begins) - len(hits), len(found) - len(hits)


DETECTORS = {
    "energy": lambda wave: emg.energy_contractions(wave, fs=FS, baseline=(100, 1400)),
    "double threshold": lambda wave: emg.double_threshold_contractions(
        wave, fs=FS, baseline=(100, 1400), least=3, false_share=1e-5
    ),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_contractions_are_found_where_they_begin_and_none_at_rest(name):
    wave, begins = contractions()
    hits, missed, false = errors(DETECTORS[name](wave), begins)
    assert (missed, false) == (0, 0)
    assert abs(np.median(hits)) < 20
    assert np.abs(hits).max() < 80


def test_the_energy_of_the_plain_loop_has_the_threshold_of_its_rest():
    wave, _ = contractions(2)
    psi = [abs(wave[t] ** 2 - wave[t - 1] * wave[t + 1]) for t in range(1, len(wave) - 1)]
    level = np.array([np.mean(([0.0, *psi, 0.0])[max(0, t - 12) : t + 13]) for t in range(len(wave))])
    rest = level[100:1400]
    above = level > rest.mean() + 15 * rest.std()
    expected = next(t for t in range(len(above)) if above[t] and above[t : t + 25].mean() >= 0.9)
    assert emg.energy_contractions(wave, fs=FS, baseline=(100, 1400))[0][0] == expected


@pytest.mark.parametrize(("least", "of"), [(1, 5), (2, 5), (3, 8)])
def test_white_rest_is_active_as_often_as_was_allowed(least, of):
    wave = np.random.default_rng(1).normal(0, 3, 200_000)
    found = emg.double_threshold_contractions(
        wave, fs=FS, baseline=(0, 200_000), of=of, least=least, order=0, false_share=0.05, on_s=0.001, off_s=0.001
    )
    share = sum(b - a for a, b in found) / len(wave)
    assert share == pytest.approx(0.05, abs=0.006)


def test_whitening_is_that_of_yule_and_walker():
    rng = np.random.default_rng(2)
    wave = signal.lfilter([1.0], [1.0, -1.2, 0.5], rng.normal(size=4000)) + 3.0
    rest = wave[:2000] - wave[:2000].mean()
    lags = np.array([rest[k:] @ rest[: len(rest) - k] for k in range(4)])
    model = linalg.solve_toeplitz(lags[:3], lags[1:])
    expected = signal.lfilter([1.0, *-model], [1.0], wave - wave[:2000].mean())
    np.testing.assert_allclose(emg._whitened(wave, wave[:2000], 3), expected, rtol=1e-9, atol=1e-9)


def test_without_pulses_the_envelope_is_the_rectified_band_passed_wave_through_two_poles():
    wave, _ = contractions(2)
    made = emg.envelope(wave, fs=FS)
    rectified = np.abs(signal.sosfilt(signal.butter(2, BAND, "bandpass", fs=FS, output="sos"), wave))
    pole = np.exp(-2 * np.pi * 6.0 / FS)
    smooth = signal.lfilter([(1 - pole) ** 2], np.poly([pole, pole]), rectified)
    weight = signal.lfilter([(1 - pole) ** 2], np.poly([pole, pole]), np.ones(len(wave)))
    np.testing.assert_allclose(made.values, smooth / weight, rtol=1e-9)
    assert made.blanked == 0.0


def stimulated(wave, *, hz=40.0, size=800.0):
    """The wave under pulses whose artefact rings down over some ms, and where they are."""
    pulses = np.arange(7, len(wave) - 20, round(FS / hz))
    artefact = size * np.exp(-np.arange(9) / 2.5) * np.cos(np.pi * np.arange(9))
    out = wave.copy()
    for at in pulses:
        out[at : at + 9] += artefact
    return out, pulses


def begins_of(values):
    rest = values[300:1400]
    above = values > rest.mean() + 3.0 * rest.std()
    return [(a, b) for a, b in emg._joined(above, 50) if b - a >= 100 and a > 1000]


def test_contractions_show_through_stimulation_of_40_hz_once_the_pulses_are_blanked():
    wave, begins = contractions(ratio=3.0)
    under, pulses = stimulated(wave)
    made = emg.envelope(under, fs=FS, band=(30.0, 300.0), pulses=pulses)
    assert 0.4 < made.blanked < 0.5
    hits, missed, false = errors(begins_of(made.values), begins)
    assert (missed, false) == (0, 0)
    assert abs(np.median(hits)) < 40
    unblanked = emg.envelope(under, fs=FS, band=(30.0, 300.0)).values
    later, _, false = errors(begins_of(unblanked), begins)
    assert false > 0
    assert np.median(later) > 1.5 * np.median(hits)


def test_a_template_takes_an_artefact_that_repeats_itself_and_leaves_the_muscle():
    wave, _ = contractions(4)
    under, pulses = stimulated(wave)
    # Behind the last pulse the recording ends too early to take anything away.
    made = emg.without_template(under, pulses=[*pulses, len(under) - 3], n_samples=9)
    expected = under.copy()
    for k, at in enumerate(pulses):
        before = [under[p : p + 9] for p in pulses[max(0, k - 20) : k]]
        expected[at : at + 9] = under[at : at + 9] - np.mean(before, axis=0) if before else 0.0
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-9)
    later = slice(pulses[25], None)
    assert (made - wave)[later].std() < 0.1 * (under - wave)[later].std()


def test_blanks_that_leave_less_than_half_warn_and_before_the_first_sample_nothing_is_known():
    wave, _ = contractions(1)
    with pytest.warns(UserWarning, match="% of the EMG lies about pulses and is blanked"):
        made = emg.envelope(wave, fs=FS, pulses=range(0, len(wave), 15))
    assert np.isnan(made.values[:11]).all()
    assert np.isfinite(made.values[11:]).all()


def test_waves_and_settings_that_cannot_be_are_refused():
    wave, _ = contractions(1)
    with pytest.raises(BadSignal, match="one finite sample after the other"):
        emg.envelope(np.where(np.arange(len(wave)) == 3, np.nan, wave), fs=FS)
    for baseline in ((0, 10_000_000), (5, 5), (-3, 4)):
        with pytest.raises(BadValue, match="a baseline is a first and a last sample"):
            emg.energy_contractions(wave, fs=FS, baseline=baseline)
    for detector in (emg.energy_contractions, emg.double_threshold_contractions):
        with pytest.raises(BadSignal, match="does not vary in the baseline"):
            detector(np.zeros(2000), fs=FS, baseline=(0, 1000))
    with pytest.raises(BadSignal, match="does not vary in the baseline"):
        emg.double_threshold_contractions(np.zeros(2000), fs=FS, baseline=(0, 1000), order=0)
    with pytest.raises(BadValue, match="least must be between 1 and of"):
        emg.double_threshold_contractions(wave, fs=FS, baseline=(0, 1000), least=6)
    for more in ({"band": (20.0, 500.0)}, {"blank_s": (0.01, 0.0)}):
        with pytest.raises(BadValue, match="a band lies above 0 and below 500 Hz"):
            emg.envelope(wave, fs=FS, **more)
