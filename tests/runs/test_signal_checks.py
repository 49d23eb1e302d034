"""A fit says of its calibration whether the pattern stayed, a muscle was silent, and which channel was noisy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.runs import limb_runs
from workbench import decoders
from workbench.errors import Refused
from workbench.paradigms import from_params
from workbench.runs.fitting import fit
from workbench.runs.signal_checks import Looked, found
from workbench.study import Study
from workbench.study.changes import GiveConsent, WithdrawConsent
from workbench.vocabulary import Participant, StreamSpec

POWER = {"bands": [[8, 30]], "window_s": 1.0, "hop_s": 0.5}
CHANNELS = tuple("ABCDEF")


def fitted(folder, *paths):
    return fit(folder, paths, "bandpower_ridge", POWER)["metrics"]["signal"]


@pytest.fixture(scope="module")
def calibration(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    return folder, limb_runs.record(folder, "one", n_trials=9)


def test_a_muscle_beside_the_signal_that_moves_in_every_attempt_is_told_from_one_that_never_does(calibration):
    folder, moving = calibration
    assert fitted(folder, moving)["muscle"] == {"stream": "wb-sim-emg", "n": 9, "silent": 0}
    still = limb_runs.record(folder, "still", n_trials=9, still=True)
    assert fitted(folder, still)["muscle"]["silent"] == 9


def test_a_muscle_that_is_decoded_is_not_asked_to_be_silent_and_one_that_was_not_recorded_is_not_judged(
    calibration,
):
    folder, moving = calibration
    members = {"signal": {"decoder": "bandpower_ridge", "params": POWER}, "emg": limb_runs.MUSCLE}
    params = {"members": members, "gates": {"emg": ["above", 1.0]}}
    joint = fit(folder, [moving], "gating", params)["metrics"]["signal"]
    assert "muscle" not in joint
    assert "channels" in joint
    alone = limb_runs.record(folder, "alone", n_trials=9, streams=1)
    assert "muscle" not in fitted(folder, alone)


def test_a_muscle_whose_stream_sent_nothing_is_said_to_be_unknown(calibration):
    folder, _ = calibration
    lost = limb_runs.record(folder, "lost", n_trials=4, sent=("signal", "imu"))
    assert "no stream of the role 'emg'" in fitted(folder, lost)["muscle"]["why"]


def test_nothing_is_learned_from_who_took_back_the_consent_to_train_decoders(tmp_path, keys_folder):
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        person = study.append(Participant("SIM-LIMB", simulated=True))
        script = study.script_signer("test")
        purposes = ("participation", "decoder_training")
        study.apply(GiveConsent(person, purposes, "1", "2026-03-01"), script, "signed")
        run = limb_runs.record(study.folder, "one", n_trials=6)
        assert fit(study.folder, [run], "bandpower_ridge", POWER)["sha256"]
        study.apply(WithdrawConsent(person, ("decoder_training",), "2026-03-02"), script)
    before = sorted((tmp_path / "study" / "decoders").iterdir())
    with pytest.raises(Refused, match="SIM-LIMB took back the consent to decoder_training on 2026-03-02"):
        fit(tmp_path / "study", [run], "bandpower_ridge", {**POWER, "bands": [[8, 20]]})
    assert sorted((tmp_path / "study" / "decoders").iterdir()) == before


def test_two_runs_of_one_intent_have_one_pattern(calibration):
    folder, first = calibration
    second = limb_runs.record(folder, "two", n_trials=9, schedule=2)
    pattern = fitted(folder, first, second)["pattern"]
    assert pattern["parts"] == "runs"
    assert pattern["r"] > 0.7


# ------------------------------------------------------------------------------------ on windows that are given
def looked(n_periods=20, *, runs=1, spoil=lambda power, run, period: None):
    """Windows of log-normal power: in attempts two derivations lose half of theirs."""
    rng = np.random.default_rng(5)
    rows, labels, periods, of_run = [], [], [], []
    for run in range(runs):
        for period in range(n_periods):
            attempt = period % 2 == 0
            for _ in range(6):
                power = 100.0 * np.exp(0.2 * rng.normal(size=len(CHANNELS)))
                power[:2] *= 0.5 if attempt else 1.0
                spoil(power, run, period)
                rows.append([*power, *np.zeros(len(CHANNELS))])  # correlations of neighbours are not looked at
                labels.append("grasp" if attempt else "rest")
                periods.append(run * 1000 + period)
                of_run.append(run)
    return Looked(np.array(rows), np.array(labels), np.array(periods), np.array(of_run))


def said(windows):
    """What is found of them, by a decoder of one band that is fitted on as many channels."""
    decoder = decoders.load("bandpower_ridge")(250.0, bands=[(8, 30)], reference="none").prepare(len(CHANNELS))
    line = StreamSpec("eeg", "EEG", 250.0, CHANNELS, source_id="x")
    runs = [SimpleNamespace(contract=[line])] * (1 + int(windows.runs.max()))
    return found(decoder, windows, runs, from_params("grasp_rest", {}), inputs=("signal",))


def test_a_channel_is_noisy_in_the_periods_in_which_its_power_is_far_above_its_own_or_that_of_all():
    assert said(looked())["channels"] == {"n": 20, "noisy": {}}

    def bursts(power, run, period):
        power[4] *= 20.0 if period in (3, 4, 11) else 1.0

    assert said(looked(spoil=bursts))["channels"] == {"n": 20, "noisy": {"E": 3}}

    def loose(power, run, period):
        power[5] *= 400.0

    assert said(looked(spoil=loose))["channels"] == {"n": 20, "noisy": {"F": 20}}


def moved(power, *, attempt):
    """The attempt is in other derivations."""
    if attempt:
        power[:2] *= 2.0
        power[4:] *= 0.5


def test_a_pattern_that_moves_from_run_to_run_or_within_a_run_does_not_correlate():
    assert said(looked(runs=2))["pattern"]["r"] > 0.9

    def from_run_to_run(power, run, period):
        moved(power, attempt=run == 1 and period % 2 == 0)

    pattern = said(looked(runs=2, spoil=from_run_to_run))["pattern"]
    assert pattern == {"parts": "runs", "r": pytest.approx(-0.5, abs=0.2)}
    assert said(looked(n_periods=40))["pattern"]["r"] > 0.9

    def within_the_run(power, run, period):
        moved(power, attempt=period >= 20 and period % 2 == 0)

    pattern = said(looked(n_periods=40, spoil=within_the_run))["pattern"]
    assert pattern == {"parts": "halves", "r": pytest.approx(-0.5, abs=0.2)}


def test_too_few_periods_have_no_pattern():
    assert "pattern" not in said(looked(n_periods=14))
