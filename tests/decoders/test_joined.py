"""Decoders of several streams: stored with one hash, refused where their parts do not belong together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench import decoders
from workbench.decoders import JoinedDecoder, _store
from workbench.errors import BadSignal, BadValue, DecoderMismatch
from workbench.study.files import decoder_hash
from workbench.vocabulary import Chunk, EvidenceType, Montage

MONTAGES = {
    "signal": Montage(("a", "b", "c"), 250.0),
    "emg": Montage(("e", "f"), 500.0, "emg"),
    "imu": Montage(("x", "y"), 100.0, "imu", "m/s^2"),
}


def epochs(fs, n_channels, *, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 10.0, (24, n_channels, round(3 * fs)))
    x[::2, 0] *= 2.5
    return x, np.array(["grasp", "rest"] * 12)


@pytest.fixture(scope="module")
def members():
    """A fitted decoder for each stream."""
    settings = {
        "signal": {},
        "emg": {"bands": [(20, 90), (110, 190)], "reference": "none"},
        "imu": {"bands": [(2, 8), (8, 20)], "reference": "none", "mains_hz": 0},
    }
    made = {}
    for seed, (role, montage) in enumerate(MONTAGES.items()):
        x, y = epochs(montage.fs, len(montage.channels), seed=seed)
        kind = decoders.load("bandpower_lda")
        made[role] = kind(montage.fs, **settings[role]).fit(x, y, lead_in=1.0)
    return made


def fusion(members, **changes):
    usual = {"weights": {"signal": 0.2, "emg": 0.5, "imu": 0.3}}
    return JoinedDecoder("late_fusion", members, **(usual | changes))


def evidences(decoder):
    """Evidence every half second of three streams of noise, delivered as they are needed."""
    stream = decoder.start()
    rng = np.random.default_rng(9)
    made = []
    for second in range(4):
        for role, montage in MONTAGES.items():
            n = round(montage.fs)
            samples = rng.normal(0.0, 12.0, (n, len(montage.channels)))
            stamps = second + (0.1 if role != "signal" else 0.0) + np.arange(n) / montage.fs
            if role != "signal":
                stream.join(Chunk(second * n, samples, stamps, stream=role))
            else:
                signal, clock = samples, stamps
        stream.advance(clock - 0.5)
        stream.step(signal)
        made.append(stream.evidence((second + 1) * 250))
    return made


def test_a_decoder_of_several_streams_is_read_back_with_the_same_hash_and_evidence(members, tmp_path):
    # In another order of the roles: the stored one is the same.
    decoder = fusion(dict(reversed(members.items())))
    sha256 = decoders.save_joined(decoder, tmp_path, montages=MONTAGES, meta={"runs": 2})
    back = decoders.read(tmp_path)
    assert isinstance(back, JoinedDecoder)
    assert back.sha256_ == sha256 == decoder_hash(tmp_path)
    assert back.inputs == decoder.inputs == ("signal", "emg", "imu")
    assert back.described() == decoder.described()
    assert evidences(back) == evidences(decoder)
    assert any(evidence.valid for evidence in evidences(back))


def test_a_changed_weight_is_found(members, tmp_path):
    decoders.save_joined(fusion(members), tmp_path, montages=MONTAGES)
    path = tmp_path / "decoder.json"
    content = json.loads(path.read_text())
    content["decoder"]["joint"]["weights"]["emg"] = 0.9
    path.write_text(json.dumps(content))
    with pytest.raises(DecoderMismatch, match="not the one that was saved"):
        decoders.read(tmp_path)


def test_a_session_must_have_each_stream_as_it_was_fitted(members, tmp_path):
    decoder = fusion(members)
    decoders.save_joined(decoder, tmp_path, montages=MONTAGES)
    decoders.check_inputs(decoder, MONTAGES)
    with pytest.raises(DecoderMismatch, match="a stream of the role 'imu'"):
        decoders.check_inputs(decoder, {role: MONTAGES[role] for role in ("signal", "emg")})
    with pytest.raises(DecoderMismatch, match="fitted at 500 Hz"):
        decoders.check_inputs(decoder, MONTAGES | {"emg": Montage(("e", "f"), 2000.0, "emg")})


def test_a_gate_rejects_what_the_signal_says_and_a_missing_gate_is_closed(members):
    always = JoinedDecoder("gating", members, gates={"emg": ("grasp", 1e-9), "imu": ("rest", 1e-9)})
    never = JoinedDecoder(
        "gating", members, gates={"emg": ("grasp", 1e-9), "imu": ("rest", 1.0)}, critical=("signal",)
    )
    for opened, closed in zip(evidences(always), evidences(never), strict=True):
        assert not opened.valid or closed.rejected or closed.probabilities == opened.probabilities
    assert any(evidence.rejected for evidence in evidences(never))
    stream = JoinedDecoder("gating", members, gates=never.gates, critical=("signal",)).start()
    stream.advance(np.arange(500) / 250.0)
    stream.step(np.random.default_rng(2).normal(0.0, 12.0, (500, 3)))
    assert stream.evidence(500).valid
    assert stream.evidence(500).rejected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": {"signal": 1.0}}, "a weight for each of signal, emg, imu"),
        ({"weights": {"signal": 0.0, "emg": 0.0, "imu": 0.0}}, "weights are 0 or more"),
        ({"critical": ("emg",)}, "critical roles are 'signal'"),
        ({"critical": ("signal", "eyes")}, "critical roles are 'signal'"),
        ({"gates": {"emg": ("grasp", 0.5)}}, "and no gate"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(members, changes, said):
    with pytest.raises(BadValue, match=said):
        fusion(members, **changes)


def test_gates_and_roles_are_checked(members):
    with pytest.raises(BadValue, match="a gate for each of emg, imu"):
        JoinedDecoder("gating", members, gates={"emg": ("grasp", 0.5)})
    with pytest.raises(BadValue, match="opens at one of grasp, rest"):
        JoinedDecoder("gating", members, gates={"emg": ("open", 0.5), "imu": ("rest", 0.5)})
    with pytest.raises(BadValue, match="one of late_fusion, gating"):
        JoinedDecoder("voting", members)
    with pytest.raises(BadValue, match="the role 'signal' and one more"):
        JoinedDecoder("late_fusion", {"signal": members["signal"]}, weights={"signal": 1.0})
    with pytest.raises(BadValue, match="a word of lower case letters"):
        JoinedDecoder("late_fusion", {"signal": members["signal"], "EMG 1": members["emg"]})


def test_samples_of_another_number_of_channels_are_refused(members):
    stream = fusion(members).start()
    with pytest.raises(BadSignal, match="takes 2 channels of emg"):
        stream.join(Chunk(0, np.zeros((3, 5)), np.arange(3.0), stream="emg"))


def test_only_probabilities_are_joined(members):
    assert fusion(members).evidence_type == EvidenceType()
    x, y = epochs(500.0, 2, seed=1)
    shown = {"grasp": (1.0,), "rest": (0.0,)}
    moving = decoders.load("bandpower_ridge")(500.0, velocities=shown, reference="none").fit(x, y, lead_in=1.0)
    with pytest.raises(
        BadValue, match="only decoders of probabilities decide together; that of emg gives a velocity"
    ):
        fusion({**members, "emg": moving})


def test_hop_memory_and_montage_are_those_of_its_streams_and_its_table_names_them(members, tmp_path):
    decoder = fusion(members)
    decoders.save_joined(decoder, tmp_path, montages=MONTAGES)
    assert (decoder.hop_s, decoder.montage_) == (members["signal"].hop_s, MONTAGES["signal"])
    assert decoder.remembers == any(member.remembers for member in members.values()) == decoder.start().remembers
    assert decoder.adapt_settings is None
    assert all(role in decoder._repr_html_() for role in MONTAGES)
    assert decoder.tolerant().described() == decoder.described()


def test_members_that_adapt_or_know_other_classes_are_refused(members):
    x, y = epochs(250.0, 3, seed=0)
    kind = decoders.load("bandpower_lda")
    adapting = kind(250.0, adapt={"rule": "pmean"}).fit(x, y, lead_in=1.0)
    with pytest.raises(BadValue, match="adapts while it decides"):
        fusion(members | {"signal": adapting})
    other = kind(250.0).fit(x, np.where(y == "grasp", "left", "right"), lead_in=1.0)
    with pytest.raises(BadValue, match="the same classes of every stream"):
        fusion(members | {"signal": other})


def test_a_gap_restarts_what_it_touches_and_a_stream_that_is_not_decoded_is_left_out(members):
    stream = fusion(members).start()
    for role, montage in MONTAGES.items():
        if role == "signal":
            continue
        n = round(montage.fs)
        samples = np.random.default_rng(4).normal(0.0, 12.0, (n, len(montage.channels)))
        stream.join(Chunk(0, samples, np.arange(n) / montage.fs, stream=role))
        stream.join_gap(role)
        stream.join(Chunk(n, samples, 2.0 + np.arange(n) / montage.fs, stream=role))
    stream.join(Chunk(0, np.zeros((5, 1)), np.arange(5.0), stream="force"))
    stream.join_gap("force")
    stream.advance(np.arange(600) / 250.0)
    stream.step(np.random.default_rng(5).normal(0.0, 12.0, (600, 3)))
    assert not stream.evidence(500).valid
    stream.reset()
    assert stream.remembers == fusion(members).remembers


def test_power_that_never_varies_teaches_no_velocity():
    x, y = epochs(250.0, 3, seed=0)
    # One window an epoch, so that all are equal.
    with pytest.raises(BadSignal, match="does not vary"):
        decoders.load("bandpower_ridge")(250.0, window_s=1.0).fit(np.repeat(x[:1], len(y), axis=0), y, lead_in=2.0)


def test_a_stored_rule_that_lacks_what_is_needed_is_refused(members, tmp_path):
    decoders.save_joined(fusion(members), tmp_path, montages=MONTAGES)
    whole = json.loads((tmp_path / "decoder.json").read_text())
    del whole["decoder"]["joint"]["weights"]
    with np.load(tmp_path / "arrays.npz") as archive:
        whole["sha256"] = _store._hash(whole["decoder"], dict(archive))
    (tmp_path / "decoder.json").write_text(json.dumps(whole))
    with pytest.raises(DecoderMismatch, match="lacks what this version needs"):
        decoders.read(tmp_path)


def test_one_window_covers_the_stretch_of_a_cue_unless_its_length_was_given():
    for window_s, expected in ((None, 2.0), (0.5, 0.5)):
        made = decoders.load("csp_lda")(250.0, window_s=window_s).prepare_for(3, stretch_s=2.0)
        assert made.settings.window_s == expected
