"""One door for units: every spelling of a voltage is µV behind it, and what is no voltage is left alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench
from tests import house
from workbench import decoders
from workbench.errors import BadSignal, BadValue, DecoderMismatch
from workbench.signals import QualityMonitor, units
from workbench.signals.units import Kind, StreamUnits
from workbench.vocabulary import Montage, StreamSpec

SPELLINGS = {
    1.0: ["uV", "µV", "μV", "UV", "uv", "microvolts", "microvolt", "Microvolts", "MICROVOLTS", "micro volts",
          "uVolt", "µVolts", "[uV]", "(µV)", " uV ", "10^-6V", "1e-6V"],
    1e3: ["mV", "mv", "millivolts", "millivolt", "Milli Volts", "mVolt"],
    1e6: ["V", "v", "volts", "Volts", "volt", "VOLT"],
    1e-3: ["nV", "nv", "nanovolts", "nanovolt"],
    1e9: ["kV"],
}  # fmt: skip
EVERY = [(text, factor) for factor, texts in SPELLINGS.items() for text in texts]
OTHERS = [
    "g",
    "m/s^2",
    "m/s²",
    "m/s2",
    "N",
    "deg",
    "°",
    "deg/s",
    "counts",
    "%",
    "°C",
    "kOhm",
    "kΩ",
    "a.u.",
    "uT",
    "s",
]
AMP = StreamSpec("Amp", "EEG", 250.0, ("C3", "C4"))


@pytest.mark.parametrize(("text", "factor"), EVERY)
def test_every_spelling_of_a_voltage_is_scaled_to_microvolts(text, factor):
    unit = units.parse(text)
    assert (unit.text, unit.kind, unit.symbol, unit.factor) == (text, Kind.VOLTAGE, "uV", factor)


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_voltage_keeps_its_numbers(text):
    unit = units.parse(text)
    assert unit.kind is Kind.OTHER
    assert unit.factor == 1.0
    assert not units.same(text, "uV")


@pytest.mark.parametrize("text", ["", "n/a", "unknown", "?"])
def test_an_unstated_unit_is_unstated(text):
    assert units.parse(text).kind is Kind.UNSTATED


@pytest.mark.parametrize(
    "text", ["MV", "[MV]", "(MV)", "M V", "㎹", "MVolts", "foo", "uV/bit", "wolts", "microvolts per bit", "V/V"]
)
def test_a_unit_that_nobody_can_know_is_unknown_never_guessed(text):
    assert units.parse(text).kind is Kind.UNKNOWN


@pytest.mark.parametrize(("text", "factor"), EVERY)
def test_a_stream_of_5_mv_is_bad_under_every_spelling(text, factor):
    samples = np.random.default_rng(0).normal(0.0, 5000.0 / factor, (500, 2))
    monitor = QualityMonitor(250.0, ("C3", "C4"), unit=text)
    monitor.step(samples)
    assert [(c.state, c.code) for c in monitor.report()] == [("bad", "amplitude")] * 2
    assert monitor.report()[0].rms_uv == pytest.approx(5000.0, rel=0.1)


@pytest.mark.parametrize(("text", "factor"), EVERY)
def test_a_usual_eeg_is_good_under_every_spelling(text, factor):
    samples = np.random.default_rng(0).normal(0.0, 20.0 / factor, (500, 1))
    monitor = QualityMonitor(250.0, ("C3",), unit=text)
    monitor.step(samples)
    assert monitor.state() == "good"


@pytest.mark.parametrize("text", OTHERS)
def test_a_channel_that_is_no_voltage_is_never_judged_by_its_size(text):
    rng = np.random.default_rng(0)
    for size in (1e-3, 5000.0):
        monitor = QualityMonitor(250.0, ("X",), unit=text)
        monitor.step(rng.normal(0.0, size, (500, 1)))
        assert monitor.state() == "good"


def test_a_declared_unit_is_scaled_and_named_and_an_announced_one_keeps_its_text():
    found = units.of_stream(AMP, ("microvolts", "mV"), 2)
    assert (found.source, found.announced, found.factors.tolist()) == (
        "announced",
        ("microvolts", "mV"),
        [1.0, 1e3],
    )
    declared = replace(AMP, unit="V", unit_declared_by="Dr Lin")
    found = units.of_stream(declared, (), 2)
    assert (found.source, found.by, found.factors.tolist()) == ("declared", "Dr Lin", [1e6, 1e6])
    assert StreamUnits.of(found.described()).factors.tolist() == [1e6, 1e6]
    assert found.scale(np.array([[1e-6, 2e-6]], dtype=np.float32)) == pytest.approx(
        np.array([[1.0, 2.0]]), rel=1e-6
    )


@pytest.mark.parametrize(
    ("spec", "announced", "words"),
    [
        (AMP, (), "announces no unit"),
        (AMP, ("uV", ""), "announces no unit for C4"),
        (AMP, ("foo", "foo"), "its unit 'foo' states no size in volts"),
        (AMP, ("counts", "counts"), "its unit 'counts' states no size in volts"),
        (AMP, ("uV", "g"), "unit of channel 'C4' is 'g', expected 'uV'"),
        (replace(AMP, unit="g"), ("g", "g"), "is not a voltage"),
        (replace(AMP, unit="foo", unit_declared_by="me"), (), "declared by me, is not known"),
    ],
)
def test_an_unknown_unit_is_refused_with_the_ways_out(spec, announced, words):
    with pytest.raises(BadSignal, match=words):
        units.of_stream(spec, announced, 2)


def test_a_waived_unit_is_recording_only_and_says_why():
    found = units.of_stream(replace(AMP, unit_waived="amplifier on loan"), (), 2)
    assert (found.source, found.by, found.changes) == ("waived", "amplifier on loan", False)


def test_channels_that_are_only_recorded_may_have_any_unit_and_are_not_scaled():
    spec = replace(AMP, channels=("C3", "TRIG", "ACC"), unmeasured=("TRIG", "ACC"))
    assert spec.measured == ("C3",)
    assert units.of_stream(spec, ("V", "", "g"), 3).factors.tolist() == [1e6, 1.0, 1.0]


def test_an_accelerometer_stream_is_taken_in_its_own_unit():
    spec = StreamSpec("IMU", "IMU", 100.0, ("x", "y"), unit="g")
    assert units.of_stream(spec, ("g", "g"), 2).changes is False


def test_the_amplitude_of_a_declared_unit_must_be_one_that_a_body_can_make():
    assert units.implausible([20.0, 30.0, 0.0]) is None
    assert "0.02 µV" in units.implausible([0.02, 0.02])
    assert "body" in units.implausible([2e4, 3e4])


# ---------------------------------------------------------------------------------- fit and predict
def fitted():
    rng = np.random.default_rng(0)
    epochs = rng.normal(0.0, 20.0, (20, 3, 500))
    labels = np.repeat(["a", "b"], 10)
    epochs[10:, 0] *= 3.0
    return decoders.load("csp_lda")(fs=250.0).fit(epochs, labels), epochs, labels


def test_volts_at_fit_and_at_predict_are_refused_with_the_remedy():
    decoder, epochs, labels = fitted()
    for call in (lambda X: decoder.predict(X), lambda X: decoders.load("csp_lda")(fs=250.0).fit(X, labels)):
        with pytest.raises(BadSignal, match=r"look like volts.*multiply them by 1e6"):
            call(epochs * 1e-6)


def test_mne_epochs_are_scaled_from_volts_and_their_rate_is_checked():
    mne = pytest.importorskip("mne")
    decoder, epochs, labels = fitted()
    info = mne.create_info(["C3", "Cz", "C4"], 250.0, "eeg")
    volts = mne.EpochsArray(epochs * 1e-6, info, verbose="error")
    again = decoders.load("csp_lda")(fs=250.0).fit(volts, labels)
    np.testing.assert_allclose(again.predict_proba(volts), decoder.predict_proba(epochs), atol=1e-6)
    assert (decoder.predict(volts) == decoder.predict(epochs)).all()
    with pytest.raises(BadValue, match="sampled at 250 Hz, the decoder works at 500 Hz"):
        decoders.load("csp_lda")(fs=500.0).fit(volts, labels)
    mixed = mne.EpochsArray(
        epochs * 1e-6, mne.create_info(["C3", "Cz", "MOV"], 250.0, ["eeg", "eeg", "misc"]), verbose="error"
    )
    with pytest.raises(BadSignal, match="misc, which are not voltages"):
        decoder.predict(mixed)


def test_a_montage_is_compared_by_what_its_unit_means():
    decoder, _, _ = fitted()
    decoder.montage_ = Montage(("C3", "Cz", "C4"), 250.0, "eeg", "uV")
    for text, factor in EVERY:
        montage = replace(decoder.montage_, unit=text)
        if factor == 1.0:
            decoders.check_montage(decoder, montage)
        else:
            with pytest.raises(DecoderMismatch, match="fitted on uV"):
                decoders.check_montage(decoder, montage)
    with pytest.raises(DecoderMismatch, match="fitted on uV, the stream has g"):
        decoders.check_montage(decoder, replace(decoder.montage_, unit="g"))


# ------------------------------------------------------------------------------------- one door
ROOMS = (
    "signals",
    "devices",
    "live",
    "engine",
    "recording",
    "decoders",
    "decoding",
    "fitting",
    "runs",
    "decode.py",
    "widgets",
    "systems",
    "evaluation",
)
VOLTS = {text.strip() for text, _ in EVERY}


def compares_or_scales(node: ast.AST) -> bool:
    """Whether a piece of code compares the text of a unit, or turns volts into microvolts or back."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        named = [getattr(side, "attr", getattr(side, "id", "")) for side in sides]
        texts = [side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)]
        return any(name in ("unit", "units") for name in named) or any(text in VOLTS for text in texts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        numbers = [side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)]
        samples = "data" in ast.unparse(node) or "values" in ast.unparse(node) or "samples" in ast.unparse(node)
        return samples and any(isinstance(number, float) and number in (1e6, 1e-6, 1e3) for number in numbers)
    if isinstance(node, ast.Dict):
        keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        return len(keys & VOLTS) >= 2
    return False


def test_no_place_but_the_door_compares_or_scales_a_unit():
    package = Path(workbench.__file__).parent
    found = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.split("/")[0] not in ROOMS or name == "signals/units.py":
            continue
        nodes = house.nodes(house.syntax(path))
        found += [f"{name}:{node.lineno}" for node in nodes if compares_or_scales(node)]
    assert found == []


@pytest.mark.parametrize("text", ["", "n/a"])
def test_a_contract_that_states_no_unit_decodes_nothing(text):
    """Quality lights and montage go by the contract: without a unit 5 mV are good, g is decoded with µV."""
    open_ = replace(AMP, unit=text)
    waived = replace(open_, unit_waived="unknown amplifier")
    for spec in (open_, waived):
        for announced in (("uV", "uV"), ("uV", "m/s^2")):
            with pytest.raises(BadSignal, match="the contract states no unit; state 'uV'"):
                units.of_stream(spec, announced, 2)
    assert units.of_stream(waived, ("", ""), 2).source == "waived"
