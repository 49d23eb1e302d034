"""A set-up: from streams and answers to a contract, what is in its way, how it is saved and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from workbench.devices.lsl import StreamSeen
from workbench.errors import BadValue, Refused
from workbench.hardware import (
    Connection,
    Discovery,
    FoundStream,
    Measurement,
    Setup,
    SetupEditor,
    checks,
    contract,
    describe,
    difference,
    electrodes,
    load,
    problems,
    save,
    sites,
    waived_streams,
    with_found,
)

AMP = FoundStream(
    "amp64",
    "EEG",
    "amp-1",
    "amp-pc",
    500.0,
    n_channels=3,
    units=("microvolts",) * 3,
    impedances=(4.0, 5.0, 11.0),
    uid="u1",
)
CODES = FoundStream("stim", "Markers", "stim-1", "stim-pc", dtype="int32", uid="u2")
WRIST = FoundStream(
    "wrist", "IMU", "imu-1", "hub", 100.0, n_channels=2, channels=("x", "y"), units=("g", "g"), uid="u3"
)


@dataclass(frozen=True)
class Wanted:
    role: str
    kind: str
    critical: bool = True
    words: str = ""
    at_least_hz: float = 0.0

    def refusal(self, spec):
        return f"{spec.name} has {spec.fs:g} Hz" if spec.fs < self.at_least_hz else ""


SILENT = Measurement("2026-11-22T09:00:00+00:00", n=3, codes={"1": 2, "255": 1})
SOUND = {
    n: Measurement("2026-11-22T09:00:00+00:00", n=5000, fs=499.98, jitter_s=0.004, rms=(14.0,) * n) for n in (2, 3)
}
INPUTS = (Wanted("signal", "EEG", at_least_hz=200.0), Wanted("markers", "markers", critical=False))
COMPLETE = Setup(
    "ward-2",
    peers=("amp-pc",),
    connections=(
        Connection("markers", CODES, codes={"1": "grasp", "2": "rest"}),
        Connection("signal", AMP, labels=("C3", "Cz", "C4"), left_out=("C4",), reference="mastoid"),
        Connection("aux", WRIST),
    ),
)


def changed(setup, role, /, **more):
    """The set-up with other answers, or stream facts under ``stream_``, in one role."""
    facts = {name.removeprefix("stream_"): value for name, value in more.items() if name.startswith("stream_")}
    answers = {name: value for name, value in more.items() if not name.startswith("stream_")}
    return replace(
        setup,
        connections=tuple(
            replace(one, stream=replace(one.stream, **facts), **answers) if one.role == role else one
            for one in setup.connections
        ),
    )


def texts(found):
    return [str(one.text) for one in found]


def test_streams_and_answers_become_the_lines_of_a_contract_in_the_order_of_the_inputs():
    signal, markers, aux = contract(COMPLETE, INPUTS)
    assert (signal.name, signal.role, signal.critical, signal.fs) == ("amp64", "signal", True, 500.0)
    assert (signal.channels, signal.measured, signal.unit) == (("C3", "Cz", "C4"), ("C3", "Cz"), "microvolts")
    assert (markers.role, markers.critical, markers.channels) == ("markers", False, ())
    assert (aux.role, aux.critical, aux.channels, aux.unit) == ("aux", False, ("x", "y"), "g")
    assert COMPLETE.codes == {"1": "grasp", "2": "rest"}
    assert problems(COMPLETE, INPUTS) == []


@pytest.mark.parametrize(
    ("role", "more", "field", "words"),
    [
        ("signal", {"labels": ()}, "labels", "names none of its 3 channels"),
        ("signal", {"labels": ("C3", "Cz")}, "labels", "2 labels are given for 3 channels"),
        ("signal", {"labels": ("C3", "C3", "C4")}, "labels", "C3 occurs more than once"),
        ("signal", {"labels": ("C3", "", "C4")}, "labels", "channel 2 has no label"),
        ("signal", {"left_out": ("C3", "Cz", "C4")}, "labels", "every channel is left out"),
        ("signal", {"left_out": ("P9",)}, "labels", "P9 is left out, but"),
        ("signal", {"stream_units": ()}, "unit", "declare"),
        ("signal", {"stream_units": ("counts",) * 3}, "unit", "counts"),
        ("signal", {"stream_fs": 100.0}, "stream", "amp64 has 100 Hz"),
        ("signal", {"stream_uid": ""}, "stream", "'amp64' is not there now"),
        ("markers", {"codes": {}}, "codes", "none has a meaning yet"),
        ("markers", {"codes": {"one": "grasp"}}, "codes", "one is no integer"),
        ("markers", {"stream_dtype": "float32"}, "stream", "this stream sends float32"),
        ("aux", {"stream_name": "amp64"}, "stream", "two streams of the set-up are called 'amp64'"),
    ],
)
def test_each_fault_is_one_sentence_at_the_role_that_it_concerns(role, more, field, words):
    found = problems(changed(COMPLETE, role, **more), INPUTS)
    assert (role, field) in [(one.role, one.field) for one in found if words in one.text]


def test_a_role_that_the_system_does_not_have_is_named():
    (problem,) = problems(changed(COMPLETE, "aux", role="imu"), INPUTS)
    assert (problem.role, str(problem.text)) == (
        "imu",
        "the system has no input imu; choose one of signal, markers",
    )


def test_an_empty_critical_role_needs_a_stream_and_a_stream_that_is_not_there_a_reason():
    empty = Setup("ward-2")
    assert [(one.role, one.field) for one in problems(empty, INPUTS)] == [("signal", "stream")]
    assert problems(changed(COMPLETE, "markers", stream_uid=""), INPUTS) != []
    without = replace(COMPLETE, waived={"markers": "the presenter is in repair"})
    gone = changed(without, "markers", stream_uid="")
    assert problems(gone, INPUTS) == []
    assert waived_streams(gone) == {"stim": "the presenter is in repair"}


def test_a_declared_unit_counts_where_the_stream_announces_none():
    silent = changed(COMPLETE, "signal", stream_units=(), unit="uV", unit_by="Lin Q.")
    assert problems(silent, INPUTS) == []
    assert (contract(silent, INPUTS)[0].unit, contract(silent, INPUTS)[0].unit_declared_by) == ("uV", "Lin Q.")


def test_a_saved_set_up_is_read_back_equal_and_its_hash_says_what_it_was(tmp_path):
    stored = save(tmp_path, COMPLETE, by="Lin Q.")
    assert sites(tmp_path) == ("ward-2",)
    read = load(tmp_path, "ward-2")
    # The uid of an outlet is another one at every start, and is not part of what is saved.
    assert read == with_found(stored, ())
    assert read.sha256 == stored.sha256 == json.loads((tmp_path / "setup/ward-2.json").read_text())["sha256"]
    assert changed(stored, "signal", left_out=()).sha256 != stored.sha256
    assert load(tmp_path, "theatre") is None


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c["connections"][1]["stream"].update(fs=250.0), "was changed after it was saved"),
        (lambda c: c.update(workbench_setup=2), "another format than 1"),
        (lambda c: c.pop("workbench_setup"), "is no set-up of a site"),
    ],
)
def test_a_set_up_that_was_changed_by_hand_or_is_newer_is_refused(tmp_path, spoil, words):
    save(tmp_path, COMPLETE, by="Lin Q.")
    path = tmp_path / "setup" / "ward-2.json"
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))
    with pytest.raises(BadValue, match=words):
        load(tmp_path, "ward-2")


@pytest.mark.parametrize("site", ["", "../x", "a b", "x" * 41])
def test_a_site_has_a_name_that_is_a_file_name_everywhere(site):
    with pytest.raises(BadValue, match="a site has a name"):
        Setup(site)


@pytest.mark.parametrize(
    ("role", "more", "words", "confirm"),
    [
        ("signal", {"stream_fs": 1000.0}, "amp64: rate 1000 Hz, was 500 Hz", True),
        ("signal", {"labels": ("C3", "FCz", "C4")}, "amp64: channel 2 is named FCz, was Cz", True),
        ("signal", {"stream_n_channels": 8}, "amp64: 8 channels, was 3", True),
        ("signal", {"stream_units": ("volts",) * 3}, "amp64: unit volts, was microvolts", True),
        ("signal", {"stream_source_id": "amp-2"}, "amp64: another device, source_id amp-2, was amp-1", True),
        ("signal", {"stream_host": "amp-pc-2"}, "amp64 comes from amp-pc-2, was amp-pc", False),
        ("signal", {"stream_uid": ""}, "stream amp64 is not there", False),
        ("signal", {"left_out": ()}, "amp64: left out are now —", True),
        ("signal", {"reference": "FCz"}, "amp64: reference and ground FCz / —, was mastoid / —", True),
        ("signal", {"stream_dtype": "int16"}, "amp64: format int16, was float32", True),
        ("markers", {"codes": {"1": "grasp"}}, "stim: markers now mean 1 = grasp", True),
        ("aux", {"stream_fs": 50.0}, "wrist: rate 50 Hz, was 100 Hz", False),
    ],
)
def test_each_difference_from_the_last_visit_is_one_phrase(role, more, words, confirm):
    (change,) = difference(COMPLETE, changed(COMPLETE, role, **more))
    assert (str(change.text), change.confirm, change.role) == (words, confirm, role)


def test_nothing_differs_from_the_same_set_up_and_new_streams_and_a_real_effector_do():
    assert difference(COMPLETE, COMPLETE) == []
    now = replace(COMPLETE, connections=COMPLETE.connections[:2], effector="real", peers=())
    assert texts(difference(COMPLETE, now)) == [
        "no longer asked: amp-pc",
        "a real effector, was simulated",
        "wrist has no longer the role aux",
    ]


def test_a_stream_is_found_again_by_name_and_type_where_its_source_id_is_another():
    other = replace(AMP, source_id="amp-2", uid="new")
    assert with_found(COMPLETE, [other]).connected("signal").stream == other
    twins = [other, replace(other, source_id="amp-3", uid="newer")]
    assert with_found(COMPLETE, twins).connected("signal").stream.uid == ""
    assert with_found(COMPLETE, [*twins, AMP]).connected("signal").stream == AMP


# --------------------------------------------------------------------------------------------- editor
def heard(streams, _labels=(), *, peers=(), **more):
    """What sound streams deliver, or ``more``."""
    sound = [SILENT if one.is_markers else replace(SOUND[one.n_channels], fs=one.fs) for one in streams]
    return [replace(one, **more) for one in sound]


def editor(folder, *streams, listen=heard):
    return SetupEditor(folder, INPUTS, look=lambda _peers: Discovery(streams), listen=listen)


def test_a_site_is_set_up_once_and_taken_up_at_the_next_visit(tmp_path):
    first = editor(tmp_path, AMP, CODES)
    assert not first.state()["ready"]
    assert first.look() == 2
    first.assign("u1", "signal")
    first.assign("u2", "markers")
    first.number_channels("amp64")
    first.answer("stim", codes={"1": "grasp", " 2 ": "rest", "3": " "})
    assert first.state()["ready"]
    stored = first.save(by="Lin Q.")
    assert stored.connected("signal").labels == ("1", "2", "3")
    assert stored.codes == {"1": "grasp", "2": "rest"}
    # The next visit: a new page, the same outlets under new uids.
    second = editor(tmp_path, replace(AMP, uid="u8"), replace(CODES, uid="u9"))
    assert not second.state()["ready"]
    second.look()
    assert (second.changes(), second.problems()) == ([], [])
    assert second.state()["as_saved"]
    assert second.contract() == first.contract()


def test_a_new_name_keeps_what_was_answered_and_a_saved_one_is_compared_from_the_start(tmp_path):
    one = editor(tmp_path, AMP)
    one.look()
    one.assign("u1", "signal")
    one.choose_site("ward-2")
    assert (one.draft.site, one.draft.connected("signal").stream) == ("ward-2", AMP)
    one.number_channels("amp64")
    one.save(by="Lin Q.")
    other = editor(tmp_path, AMP)
    other.look()
    other.choose_site("theatre")
    other.choose_site("ward-2")
    assert not other.state()["ready"]
    other.look()
    assert other.state()["ready"]
    with pytest.raises(BadValue, match="a site has a name"):
        other.choose_site("../ward-2")
    assert other.draft.site == "ward-2"


def test_a_difference_that_matters_is_confirmed_before_the_set_up_is_saved(tmp_path):
    save(tmp_path, replace(COMPLETE, connections=COMPLETE.connections[:2]), by="Lin Q.")
    now = editor(tmp_path, replace(AMP, fs=1000.0), CODES)
    now.look()
    assert texts(now.changes()) == ["amp64: rate 1000 Hz, was 500 Hz"]
    with pytest.raises(Refused, match=r"not confirmed: amp64: rate 1000 Hz, was 500 Hz"):
        now.save(by="Wang X.")
    now.confirm()
    now.answer("amp64", left_out=["C3"])
    with pytest.raises(Refused, match="left out are now C3"):
        now.save(by="Wang X.")
    now.confirm()
    assert now.save(by="Wang X.").by == "Wang X."
    assert load(tmp_path, "ward-2").connected("signal").stream.fs == 1000.0


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda one: one.assign("nobody", "signal"), "was not found in the last search"),
        (lambda one: one.assign("u1", "EMG"), "the system has no input 'EMG'"),
        (lambda one: one.answer("amp64", labels="C3"), "'labels' cannot be 'C3'"),
        (lambda one: one.answer("amp64", fs=5), "'fs' cannot be 5"),
        (lambda one: one.answer("amp64", unit="uV"), "name of who vouches"),
        (lambda one: one.answer("stim", codes={}), "has no role yet"),
        (lambda one: one.waive("signal", "no time"), "is critical"),
        (lambda one: one.waive("EMG", "no time"), "has no input 'EMG'"),
        (lambda one: one.attach_effector(real="yes"), "must be 'real' or 'simulated'"),
        (lambda one: one.name_peers(["a b"]), "letters, digits"),
        (lambda one: one.save(by="Lin Q."), "names none of its 3 channels"),
    ],
)
def test_what_a_page_may_not_do_is_refused_in_one_sentence(tmp_path, act, words):
    one = editor(tmp_path, AMP, CODES)
    one.look()
    one.assign("u1", "signal")
    before = one.draft
    with pytest.raises((BadValue, Refused), match=words):
        act(one)
    assert one.draft == before


def test_one_stream_feeds_one_role_and_another_takes_its_place(tmp_path):
    other = replace(AMP, name="amp8", uid="u7")
    one = editor(tmp_path, AMP, other)
    one.look()
    one.assign("u1", "signal")
    one.answer("amp64", labels=["C3", "Cz", "C4"])
    one.assign("u7", "signal")
    assert [each.stream.name for each in one.draft.connections] == ["amp8"]
    one.assign("u1", "aux")
    one.assign("u7", "aux")
    assert {each.stream.name for each in one.draft.connections} == {"amp64", "amp8"}
    one.take_out("amp8")
    assert {each.stream.name for each in one.draft.connections} == {"amp64"}


# ---------------------------------------------------------------------------------------- description
def test_what_a_description_says_of_device_reference_ground_and_impedance_is_kept():
    header = {
        "desc": {
            "channels": {"channel": [{"label": "C3", "impedance": "4.5"}, {"label": "C4", "impedance": "12"}]},
            "acquisition": {"manufacturer": "Acme", "model": "A8"},
            "reference": {"label": "M1"},
            "ground": {"label": "Fpz"},
        }
    }
    seen = StreamSeen("amp", "EEG", "s", "h", "u", "default", 250.0, 2, "float32", ("C3", "C4"), header=header)
    found = describe(seen)
    assert (found.manufacturer, found.model, found.reference, found.ground) == ("Acme", "A8", "M1", "Fpz")
    assert found.impedances == (4.5, 12.0)
    header["desc"]["channels"]["channel"][1]["impedance"] = ""
    assert describe(seen).impedances == ()
    assert describe(replace(seen, header={})).manufacturer == ""
    assert describe(replace(seen, header={"desc": "text"})).impedances == ()


# --------------------------------------------------------------------------------------- measurement
def said(one, **more):
    """State and sentence of each check of a stream of the set-up, by name."""
    return {check.name: (check.state, str(check.text)) for check in checks(replace(one, **more))}


SIGNAL = replace(COMPLETE.connected("signal"), measured=SOUND[3])


def test_a_sound_stream_is_said_in_units_rate_losses_amplitude_and_impedance():
    assert said(SIGNAL) == {
        "unit": ("ok", "Unit “microvolts” read as µV, ×1"),
        "impedance": ("ok", "Impedance of all 2 at most 20 kΩ; highest Cz 5 kΩ"),
        "rate": ("ok", "Rate 499.98 of 500 Hz; jitter 4 ms"),
        "loss": ("ok", "No sample lost, by the time stamps"),
        "amplitude": ("ok", "Rest 14 µV RMS"),
    }
    # The declared unit counts for what was measured before somebody declared it.
    in_volts = said(SIGNAL, unit="V", unit_by="Lin Q.", measured=replace(SOUND[3], rms=(1.4e-5,) * 3))
    assert in_volts["unit"][1] == "Unit “V” read as µV, ×1,000,000"
    assert in_volts["amplitude"] == ("ok", "Rest 14 µV RMS")


@pytest.mark.parametrize(
    ("more", "name", "words"),
    [
        ({"n": 0}, "rate", "Nothing came in 10 s"),
        ({"fs": 250.0}, "rate", "Rate 250.00 of 500 Hz, more than 1% off"),
        ({"jitter_s": 0.03}, "rate", "jitter 30 ms, more than 20 ms"),
        ({"n_lost": 40, "n_gaps": 2}, "loss", "40 of 5040 samples lost, in 2 gaps (by the time stamps)"),
        ({"counter": "CNT", "counter_lost": 3, "counter_odd": 1}, "loss", "3 of 5003 samples lost, in 0 gaps"),
        ({"rms": (2e4,) * 3}, "amplitude", "can come from a body"),
    ],
)
def test_what_a_measurement_finds_wrong_fails_a_check_and_blocks_the_set_up(more, name, words):
    bad = replace(SIGNAL, measured=replace(SOUND[3], **more))
    state, text = said(bad)[name]
    assert state == "failed"
    assert words in text
    connections = (bad, COMPLETE.connected("markers"))
    (problem,) = problems(replace(COMPLETE, connections=connections), INPUTS)
    assert (problem.field, text in problem.text) == ("check", True)


def test_electrodes_of_high_impedance_are_named_and_those_left_out_do_not_count():
    loose = replace(SIGNAL, stream=replace(AMP, impedances=(4.0, 31.0, 90.0)))
    assert said(loose)["impedance"] == ("failed", "Impedance: 1 of 2 above 20 kΩ (Cz 31)")


def test_markers_that_came_stand_with_their_meaning_or_with_none_yet():
    one = replace(COMPLETE.connected("markers"), measured=SILENT)
    assert said(one)["codes"] == ("note", "Markers seen: 255 no meaning yet, 1 grasp")
    assert said(one, codes={"1": "grasp", "255": "end"})["codes"] == ("ok", "Markers seen: 1 grasp, 255 end")
    assert said(one, measured=replace(SILENT, codes={}))["codes"] == ("note", "No marker in 10 s")


def test_saving_measures_what_was_not_measured_and_a_failed_check_is_waived_with_a_name(tmp_path):
    asked = []

    def listen(streams, labels, *, peers):
        asked.append([one.name for one in streams])
        return heard(streams, n_lost=5, n_gaps=1)

    one = editor(tmp_path, AMP, listen=listen)
    one.look()
    one.assign("u1", "signal")
    one.number_channels("amp64")
    with pytest.raises(Refused, match="5 of 5005 samples lost"):
        one.save(by="Lin Q.")
    with pytest.raises(BadValue, match="did not fail"):
        one.waive_failed("amp64", "rate", "wireless", by="Lin Q.")
    one.waive_failed("amp64", "loss", "wireless, far corner", by="Lin Q.")
    stored = one.save(by="Lin Q.")
    assert asked == [["amp64"]]
    (waiver,) = load(tmp_path, "main").connected("signal").waivers
    assert (waiver.check, waiver.reason, waiver.by) == ("loss", "wireless, far corner", "Lin Q.")
    assert load(tmp_path, "main").sha256 == stored.sha256
    # Other figures need another waiver.
    one.measure("amp64")
    assert [problem.field for problem in one.problems()] == ["check"]
    one.waive_failed("amp64", "loss", "", by="Lin Q.")
    assert one.draft.connected("signal").waivers == ()


def test_a_set_up_from_before_streams_were_measured_keeps_its_hash():
    content = COMPLETE.content()
    assert not {"measured", "waivers"} & {name for one in content["connections"] for name in one}
    assert Setup.of(content).sha256 == content["sha256"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fs": 501.5}, "amp64: measured 501.50 Hz, was 499.98 Hz"),
        ({"rms": (40.0,) * 3}, "amp64: rest 40 µV, was 14 µV"),
        ({"n_lost": 7}, "amp64: 7 samples lost, was 0"),
        ({"rms": (20.0,) * 3}, None),
    ],
)
def test_what_is_measured_otherwise_than_at_the_last_visit_is_said(more, words):
    was = replace(COMPLETE, connections=(SIGNAL,))
    now = replace(was, connections=(replace(SIGNAL, measured=replace(SOUND[3], **more)),))
    assert texts(difference(was, now)) == ([words] if words else [])


def test_every_electrode_is_drawn_with_its_state_and_what_was_measured_of_it():
    drawn = replace(SIGNAL, stream=replace(AMP, impedances=(4.0, 31.0, 90.0)))
    shown = [(one.state, one.text) for one in electrodes(drawn)]
    assert shown == [("ok", "4 kΩ"), ("high", "31 kΩ"), ("left_out", "90 kΩ")]
    assert [one.name for one in electrodes(drawn)] == list(drawn.channels)
    unmeasured = replace(drawn, stream=replace(AMP, impedances=()), measured=None)
    assert [one.state for one in electrodes(unmeasured)] == ["unknown", "unknown", "left_out"]
    silent = replace(unmeasured, measured=replace(SILENT, rms=(14.0, 0.0, 3.0)))
    assert [(one.state, one.text) for one in electrodes(silent)] == [
        ("ok", "14 µV"), ("flat", "0 µV"), ("left_out", "3 µV"),
    ]  # fmt: skip
    assert electrodes(COMPLETE.connected("markers")) == []
