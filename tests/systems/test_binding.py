"""What may feed an input of a system, and what is refused before anything starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import systems
from workbench.errors import BadValue, Refused
from workbench.study import Study
from workbench.vocabulary import Participant, StreamSpec, Visit

SYSTEM = systems.load("neo_hand")
LINE = StreamSpec("amp", "ECoG", 500.0, tuple(f"{n}" for n in range(1, 9)), unit="microvolts")
FITS = ("", LINE, replace(LINE, type="ExG"), replace(LINE, unit="mV"), replace(LINE, fs=30_000.0))


@pytest.mark.parametrize("line", FITS[1:], ids=lambda line: f"{line.type} {line.fs:g} {line.unit}")
def test_a_stream_that_fits_is_bound_whatever_it_calls_itself(line):
    assert SYSTEM.input("signal").refusal(line) == ""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "EMG"}, "is of type 'EMG' and cannot be the signal, which is ECoG; choose another stream"),
        ({"fs": 0.0}, "states an impossible rate of 0 Hz"),
        ({"fs": float("nan")}, "states an impossible rate of nan Hz"),
        ({"fs": 250.0}, "has 250 Hz, the signal needs at least 500 Hz"),
        ({"channels": ("1",)}, "has 1 channels to decode, the signal needs 2 to 64"),
        ({"unmeasured": LINE.channels[1:]}, "has 1 channels to decode"),
        ({"unit": ""}, "the unit of stream 'amp' is not known"),
        ({"unit": "furlong"}, "the unit of stream 'amp' is not known ..furlong"),
        ({"unit": "g"}, "is in 'g', the signal must be in uV"),
    ],
)
def test_a_stream_that_cannot_feed_an_input_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(BadValue, match=sentence):
        systems.bind(SYSTEM, (replace(LINE, **change),))


def test_markers_have_no_rate():
    marker = StreamSpec("cues", "Markers", 0.0, role="markers")
    assert SYSTEM.input("markers").refusal(marker) == ""
    assert "cannot bring markers" in SYSTEM.input("markers").refusal(replace(marker, fs=10.0))


@pytest.mark.parametrize(
    ("contract", "sentence"),
    [
        ((), "needs a stream for its input signal .ECoG., and none has that role"),
        ((LINE, replace(LINE, name="b", role="leg")), "has no input 'leg'; its inputs are signal, markers"),
        ((LINE, replace(LINE, name="b")), "streams amp and b are both the signal"),
    ],
)
def test_a_contract_with_a_role_unknown_doubled_or_left_open_is_refused(contract, sentence):
    with pytest.raises(BadValue, match=sentence):
        systems.bind(SYSTEM, contract)


def test_streams_that_are_only_recorded_stand_after_the_inputs():
    beside = replace(LINE, name="b", role="aux", type="EMG", fs=3.0)
    bound = systems.bind(SYSTEM, (beside, LINE))
    assert [line.name for line in bound.contract] == ["amp", "b"]
    assert bound.source.player is None


def test_a_decoder_that_does_not_fit_the_stream_is_refused_with_its_reason():
    task = replace(SYSTEM.tasks[0], decoder_params=lambda spec: {"fs": spec.fs, "bands": [(8, 400)]})
    with pytest.raises(BadValue, match="the decoder bandpower_lda does not fit stream 'amp': .*400"):
        systems.bind(replace(SYSTEM, tasks=(task,)), (LINE,))


def test_a_copy_that_was_changed_does_not_pass_as_the_file_of_the_register():
    assert systems.provenance(SYSTEM)["distribution"] == "sci-bci-workbench"
    assert systems.provenance(replace(SYSTEM, forms=()))["sha256"] == ""


def test_an_amplifier_is_connected_to_nobody_without_a_recorded_consent_with_a_set_up_or_without(
    tmp_path, keys_folder
):
    bound = systems.bind(SYSTEM, [LINE], source=systems.HARDWARE)
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        visit = study.append(Visit(study.append(Participant("P-041")), "baseline"))
        for entries in ({}, {"setup": {"sha256": "0"}}):
            with pytest.raises(Refused, match="consent of P-041"):
                bound.new_session(study, visit=visit, operator="a", **entries)
        assert study.rows("session") == []
