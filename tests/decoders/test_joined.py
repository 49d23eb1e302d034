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


def of_velocity():
    """A fitted decoder of the stream emg whose evidence is a velocity."""
    x, y = epochs(500.0, 2, seed=1)
    shown = {"grasp": (1.0,), "rest": (0.0,)}
    return decoders.load("bandpower_ridge")(500.0, velocities=shown, reference="none").fit(x, y, lead_in=1.0)


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


@pytest.fixture(scope="module")
def gates():
    """Decoders that only open and close: of a muscle, of the eyes, and of the breath, in the place of the imu."""
    x, y = epochs(500.0, 2, seed=1)
    activity = decoders.load("activity_level")
    muscle = activity(500.0, measure="muscle", baseline="rest", n_sd=3.0, evidence={"novelty": None})
    eyes = activity(500.0, measure="eyes", n_sd=3.0, evidence={"novelty": None})
    t = np.arange(4000) / 100.0
    waves = np.array([np.tile(np.sin(2 * np.pi * (0.5 * t + k / 9)), (2, 1)) for k in range(8)])
    waves += 0.05 * np.random.default_rng(3).normal(size=waves.shape)
    params = {"channel": 0, "bands": [(0.2, 1.0)], "window_s": 6.0, "mains_hz": 0, "evidence": {"novelty": None}}
    breath = decoders.load("cycle_phase")(100.0, **params).fit(waves, y[:8], lead_in=20.0)
    return {"muscle": muscle.fit(x, y, lead_in=1.0), "eyes": eyes.fit(x, y, lead_in=1.0), "breath": breath}


def gated(members, emg, rule, **more):
    return JoinedDecoder("gating", {"signal": members["signal"], "emg": emg}, gates={"emg": rule}, **more)


def evidence_at(decoder, fs, samples, *, seconds=6, until=None):
    """Evidence at the end of so many seconds; the gate's stream ends at ``until`` s."""
    stream = decoder.start()
    n = round((until or seconds) * fs) + 1
    stream.join(Chunk(0, samples[:n], np.arange(n) / fs, stream="emg"))
    stream.advance(np.arange(250 * seconds) / 250.0)
    stream.step(np.random.default_rng(7).normal(0.0, 12.0, (250 * seconds, 3)))
    return stream.evidence(250 * seconds)


@pytest.mark.parametrize(("kind", "opens"), [("muscle", "above"), ("eyes", "below")])
def test_a_level_opens_the_gate_on_its_side_of_the_threshold_and_closes_it_on_the_other(
    members, gates, kind, opens
):
    decoder = gated(members, gates[kind], (opens, 1.0))
    quiet = np.random.default_rng(8).normal(0.0, 10.0, (4000, 2))
    loud = quiet.copy()
    loud[2900:] *= 4.0
    rejected = {name: evidence_at(decoder, 500.0, x).rejected for name, x in (("quiet", quiet), ("loud", loud))}
    assert rejected == ({"quiet": True, "loud": False} if opens == "above" else {"quiet": False, "loud": True})


def test_a_phase_opens_the_gate_within_its_window_which_may_go_through_the_beginning_of_the_cycle(members, gates):
    t = np.arange(4000) / 100.0
    wave = np.tile(np.sin(2 * np.pi * 0.5 * t)[:, None], (1, 2))
    phases = []
    for tenths in range(200, 220, 2):
        for rule in ((0.1, 0.4), (0.9, 0.1)):
            decoder = gated(members, gates["breath"], rule)
            at = tenths / 10 + 10
            found = evidence_at(decoder, 100.0, np.roll(wave, -round(100 * (at - 30)), axis=0), seconds=20)
            phases.append((rule, found.rejected, found.valid))
    assert all(valid for *_, valid in phases)
    opened = {
        rule: sum(not closed for other, closed, _ in phases if other == rule) for rule in ((0.1, 0.4), (0.9, 0.1))
    }
    # Ten moments of a cycle of 2 s: as many as the window is long, give or take one.
    assert opened[0.1, 0.4] in (2, 3, 4)
    assert opened[0.9, 0.1] in (1, 2, 3)


@pytest.mark.parametrize("kind", ["muscle", "eyes"])
def test_a_gate_whose_stream_is_missing_or_bad_makes_the_evidence_invalid(members, gates, kind):
    decoder = gated(members, gates[kind], ("below", 1e6))
    samples = np.random.default_rng(8).normal(0.0, 10.0, (4000, 2))
    assert evidence_at(decoder, 500.0, samples).valid
    assert not evidence_at(decoder, 500.0, samples, until=5.0).valid
    for bad in (np.nan, 7.0):
        samples[2900:, 1] = bad
        assert not evidence_at(decoder, 500.0, samples).valid


def test_a_gate_that_no_evidence_needs_is_closed_while_its_stream_is_missing(members, gates):
    decoder = gated(members, gates["muscle"], ("below", 1e6), critical=("signal",))
    found = evidence_at(decoder, 500.0, np.zeros((4000, 2)), until=5.0)
    assert found.valid
    assert found.rejected


def paced(members, gates, rule, *, until_s):
    """A phase that the muscle lets through: the decoder, its stream after 20 s, and the evidence there."""
    decoder = JoinedDecoder("gating", {"signal": gates["breath"], "emg": members["emg"]}, gates={"emg": rule})
    stream, n = decoder.start(), round(500 * until_s)
    noise = np.random.default_rng(8).normal(0.0, 10.0, (n, 2))
    stream.join(Chunk(0, noise, np.arange(n) / 500.0, stream="emg"))
    stream.advance(np.arange(2000) / 100.0)
    stream.step(np.tile(np.sin(np.pi * np.arange(2000) / 100.0)[:, None], (1, 2)))
    return decoder, stream, stream.evidence(2000)


def test_a_phase_is_let_through_while_the_gate_is_open_and_stays_known_while_it_is_closed(members, gates):
    decoder, stream, opened = paced(members, gates, ("rest", 0.9), until_s=21.0)
    assert decoder.evidence_type == gates["breath"].evidence_type
    assert (opened.valid, opened.rejected, opened.probabilities) == (True, False, ())
    assert stream.agreed == {"signal": True, "emg": True}
    _, stream, closed = paced(members, gates, ("grasp", 0.9), until_s=21.0)
    assert (closed.valid, closed.rejected, closed.values) == (True, True, opened.values)
    assert stream.agreed == {"signal": True, "emg": False}


def test_a_phase_whose_gate_has_no_stream_is_not_valid_and_a_phase_is_followed_at_every_hop(members, gates):
    decoder, stream, missing = paced(members, gates, ("rest", 0.9), until_s=19.0)
    assert not missing.valid
    assert len(missing.values) == 2
    assert not stream.agreed["emg"]
    assert decoder.remembers


def test_streams_that_are_weighed_hold_none_back(members):
    stream = fusion(members).start()
    stream.advance(np.arange(500) / 250.0)
    stream.step(np.zeros((500, 3)))
    stream.evidence(500)
    assert stream.agreed == {}


def test_what_opens_and_closes_has_no_memory_and_is_stored_with_its_rule(members, gates, tmp_path):
    decoder = gated(members, gates["breath"], (0.5, 0.95))
    assert decoder.remembers == members["signal"].remembers == decoder.start().remembers
    montages = {"signal": MONTAGES["signal"], "emg": Montage(("a", "b"), 100.0, "respiration", "a.u.")}
    sha256 = decoders.save_joined(decoder, tmp_path, montages=montages)
    again = decoders.read(tmp_path)
    assert (again.sha256_, again.described()["gates"]) == (sha256, {"emg": [0.5, 0.95]})
    assert "open while its phase goes from 0.5 to 0.95 of a cycle" in again._repr_html_()


@pytest.mark.parametrize(
    ("kind", "rule", "said"),
    [
        ("muscle", ("grasp", 0.5), "'above' or 'below' and a level above 0; got 'grasp' and 0.5"),
        ("muscle", ("above", 0.0), "'above' or 'below' and a level above 0"),
        ("breath", (0.2, 0.2), "two different phases from 0 to below 1; got 0.2 and 0.2"),
        ("breath", (0.2, 1.0), "two different phases"),
        ("breath", ("above", 1.0), "two different phases"),
        ("muscle", ("above", "much"), "a gate opens at a pair such as"),
    ],
)
def test_a_gate_opens_only_at_what_its_decoder_says(members, gates, kind, rule, said):
    with pytest.raises(BadValue, match=said):
        gated(members, gates[kind], rule)


@pytest.mark.parametrize("rule", ["pmean", "supervised"])
def test_the_decoder_of_the_signal_may_adapt_and_its_updates_are_chained_to_the_whole(members, tmp_path, rule):
    x, y = epochs(250.0, 3, seed=0)
    kind = decoders.load("bandpower_lda")
    adapting = kind(250.0, adapt={"rule": rule}, evidence={"novelty": None}).fit(x, y, lead_in=1.0)
    decoder = fusion(members | {"signal": adapting})
    decoders.save_joined(decoder, tmp_path, montages=MONTAGES)
    assert decoder.adapt_settings.rule == rule
    stream = decoders.read(tmp_path).start()
    assert stream.learns == (rule == "supervised")
    for k in range(12):
        stream.advance(k + np.arange(250) / 250.0)
        stream.step(x[k, :, 250:500].T.copy())
        if stream.learns:
            stream.learn(y[k], end=250 * (k + 1))
    made = stream.snapshots()
    assert made
    decoders.check_chain(made, decoder_sha256=decoder.sha256_)


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
    moving = of_velocity()
    with pytest.raises(BadValue, match="for emg, late_fusion takes .* one of probabilities, got velocity; choose"):
        fusion({**members, "emg": moving})


def test_a_gate_of_another_kind_of_evidence_is_refused_with_all_kinds_that_may_be_one(members):
    moving = of_velocity()
    streams = {"signal": members["signal"], "emg": moving}
    with pytest.raises(BadValue, match="for emg, gating takes .* probabilities, amplitude, phase, got velocity;"):
        JoinedDecoder("gating", streams, gates={"emg": ("grasp", 0.6)})
    with pytest.raises(BadValue, match="for signal, gating takes .* one of probabilities, phase, got velocity;"):
        JoinedDecoder("gating", {"signal": moving, "emg": members["emg"]}, gates={"emg": ("grasp", 0.6)})


def test_hop_memory_and_montage_are_those_of_its_streams_and_its_table_names_them(members, tmp_path):
    decoder = fusion(members)
    decoders.save_joined(decoder, tmp_path, montages=MONTAGES)
    assert (decoder.hop_s, decoder.montage_) == (members["signal"].hop_s, MONTAGES["signal"])
    assert decoder.step_s == members["signal"].step_s
    assert decoder.remembers == any(member.remembers for member in members.values()) == decoder.start().remembers
    assert decoder.adapt_settings is None
    assert all(role in decoder._repr_html_() for role in MONTAGES)
    assert decoder.tolerant().described() == decoder.described()


def test_members_that_adapt_or_know_other_classes_are_refused(members):
    x, y = epochs(250.0, 3, seed=0)
    kind = decoders.load("bandpower_lda")
    adapting = kind(250.0, adapt={"rule": "pmean"}).fit(x, y, lead_in=1.0)
    with pytest.raises(BadValue, match="decoder of emg adapts while it decides"):
        fusion(members | {"emg": adapting})
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
    # One window an epoch, and the same epoch or its reverse, so that the power of all is equal.
    signs = np.where(np.arange(len(y)) < len(y) // 2, 1.0, -1.0)[:, None, None]
    with pytest.raises(BadSignal, match="all the same to the decoder"):
        decoders.load("bandpower_ridge")(250.0, window_s=1.0).fit(signs * x[:1], y, lead_in=2.0)


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


def test_what_opens_a_gate_is_said_in_words_and_found_in_single_windows(members, gates):
    muscle, breath = gates["muscle"], gates["breath"]
    level, phase = gated(members, muscle, ("above", 1.0)), gated(members, breath, (0.5, 0.9))
    assert "its level is at least 1" in level._repr_html_()
    assert "its phase goes from 0.5 to 0.9 of a cycle" in phase._repr_html_()
    x, _ = epochs(500.0, 2, seed=1)
    summaries, _ = muscle._epoch_summaries(x, 1.0)
    said = muscle.evidence_of(summaries)
    assert level.opens("emg", said) == any(evidence.values[0] >= 1.0 for evidence in said)
    assert level.opens("signal", [])
    classes = JoinedDecoder("gating", members, gates={"emg": ("grasp", 0.6), "imu": ("rest", 0.5)})
    assert "it says grasp with a probability of at least 0.6" in classes._repr_html_()
    x, y = epochs(250.0, 3, seed=1)
    alone = decoders.load("bandpower_lda")(250.0, evidence={"memory": None}).fit(x, y, lead_in=1.0)
    assert alone._accumulator() is None
    for evidence in alone.evidence_of(alone._epoch_summaries(x, 1.0)[0]):
        assert sum(evidence.probabilities) == pytest.approx(1.0)
    signal = members["signal"]
    summaries, _ = signal._epoch_summaries(epochs(250.0, 3, seed=1)[0], 1.0)
    for evidence in signal.evidence_of(summaries[:5]):
        assert sum(evidence.probabilities) == pytest.approx(1.0)
    assert muscle.movable


# ----------------------------------------------------------------------------------- channels of the signal itself
THETA = np.sin(2 * np.pi * 6.0 * np.arange(12 * 250) / 250.0)


@pytest.fixture(scope="module")
def loaded(members):
    """The signal counts while its own channels c and a show no more theta than usual."""
    x = np.random.default_rng(11).normal(0.0, 10.0, (24, 2, 8 * 250))
    settings = {"measure": "workload", "n_sd": 4.0, "reference": "none", "evidence": {"novelty": None}}
    workload = decoders.load("activity_level")(250.0, **settings).fit(x, ["grasp", "rest"] * 12, lead_in=2.0)
    return JoinedDecoder(
        "gating",
        {"signal": members["signal"], "workload": workload},
        gates={"workload": ("below", 1.0)},
        picks={"workload": (2, 0)},
    )


def signal_evidence(decoder, samples, *, block=3000, gap=None):
    """Evidence twice a second of a signal without another stream, cut into blocks and at a gap."""
    stream, made = decoder.start(), []
    # What is asked for is asked at once, however it was cut.
    cuts = sorted({*range(0, len(samples) + 1, block), *range(0, len(samples) + 1, 125), len(samples)})
    for first, last in zip(cuts, cuts[1:], strict=False):
        if first == gap:
            stream.reset()
        stream.advance(np.arange(first, last) / 250.0)
        stream.step(samples[first:last])
        if last % 125 == 0:
            made.append(stream.evidence(last))
    return made


def noise():
    return np.random.default_rng(12).normal(0.0, 10.0, (3000, 3))


def test_a_gate_may_be_told_from_channels_of_the_signal_and_then_needs_no_stream_of_its_own(loaded):
    assert loaded.inputs == ("signal",)
    calm, busy, elsewhere = noise(), noise(), noise()
    busy[:, 2] += 40.0 * THETA
    elsewhere[:, 1] += 40.0 * THETA
    shut = {
        name: [one.rejected for one in signal_evidence(loaded, x) if one.valid]
        for name, x in (("calm", calm), ("busy", busy), ("elsewhere", elsewhere))
    }
    assert not any(shut["calm"])
    assert all(shut["busy"])
    # Channel b is not among those that the gate reads: what is rejected there the signal itself rejects.
    always = JoinedDecoder("gating", loaded.members, gates={"workload": ("below", 1e9)}, picks=loaded.picks)
    alone = [one.rejected for one in signal_evidence(always, elsewhere) if one.valid]
    assert shut["elsewhere"] == alone


def test_what_is_read_of_the_signal_does_not_depend_on_how_the_signal_was_cut(loaded):
    samples = noise()
    samples[1500:, 0] += 30.0 * THETA[1500:]
    whole = signal_evidence(loaded, samples)
    assert {one.rejected for one in whole if one.valid} == {True, False}
    for block in (1, 7, 250):
        assert signal_evidence(loaded, samples, block=block) == whole


def test_a_gap_of_the_signal_and_a_channel_that_falls_make_what_is_read_of_it_invalid(loaded):
    samples = noise()
    after = [one.valid for one in signal_evidence(loaded, samples, gap=1500)]
    # A workload has windows of 4 s, of the signal behind the gap alone.
    assert after[:12] == [one.valid for one in signal_evidence(loaded, samples)][:12]
    assert not any(after[12:19])
    assert after[-1]
    samples[2500:, 0] = np.nan
    assert not signal_evidence(loaded, samples)[-1].valid


def test_channels_of_the_signal_are_stored_with_the_decoder_and_others_keep_their_hash(loaded, members, tmp_path):
    sha256 = decoders.save_joined(loaded, tmp_path, montages={"signal": MONTAGES["signal"]})
    again = decoders.read(tmp_path)
    assert (again.sha256_, again.picks) == (sha256, {"workload": (2, 0)})
    assert again.members["workload"].montage_.channels == ("c", "a")
    decoders.check_inputs(again, {"signal": MONTAGES["signal"]})
    assert signal_evidence(again, noise()) == signal_evidence(loaded, noise())
    assert again.tolerant().picks == again.picks
    assert "picks" not in fusion(members).described()


@pytest.mark.parametrize(
    "picks",
    [{"workload": (0,)}, {"workload": (0, 3)}, {"workload": (1, 1)}, {"signal": (0, 1, 2)}, {"eyes": (0, 1)}],
)
def test_channels_that_the_decoder_was_not_fitted_on_are_refused(loaded, picks):
    with pytest.raises(BadValue, match="by number from 0 to below 3; got"):
        JoinedDecoder("gating", loaded.members, gates=loaded.gates, picks=picks)
