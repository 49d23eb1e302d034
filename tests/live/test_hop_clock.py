"""What is decided of several streams follows from the recording alone: live and replayed, the same evidence."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench import paradigms
from workbench.decode import decode
from workbench.decoding.joined import ClassGate, Gating, JoinedDecoderStream, LateFusion, LevelGate
from workbench.engine.hop_clock import TIMEOUT_S, HopClock
from workbench.engine.live_source import LiveSource
from workbench.paradigms import PlannedCue
from workbench.recording import Corrector
from workbench.recording.other_streams import TIMEOUT, OtherStream, join, recorded
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Chunk, Decision, Evidence, Marker, StreamSpec

SIGNAL = StreamSpec("eeg", "EEG", 50.0, ("a",))
EMG = StreamSpec("emg", "EMG", 200.0, ("e", "count"), role="emg", counter="count", delay_s=0.03)
IMU = StreamSpec("imu", "IMU", 20.0, ("x",), unit="m/s2", role="imu")
SECONDS = 6.0
CUES = (PlannedCue(0.5, "grasp", 1.5, 0), PlannedCue(2.5, "rest", 1.0, 0), PlannedCue(4.0, "grasp", 2.0, 1))


class MeanStream:
    """Probability from the mean of the last ten samples: small, causal, exact."""

    remembers, window, learns = False, 10, False
    classes = ("grasp", "rest")

    def __init__(self, fs, hop=1):
        self.fs, self.hop, self.n_channels = fs, hop, 1
        self.samples, self.since = np.empty((0, 1)), 0

    def step(self, samples):
        self.samples = np.concatenate([self.samples, samples])

    def snapshots(self):
        return ()

    def reset(self):
        self.since = len(self.samples)

    def has_window(self, end):
        return 0 < end <= len(self.samples)

    def evidence(self, end):
        p = 1.0 / (1.0 + float(np.exp(-self.samples[max(end - 10, 0) : end, 0].mean())))
        return Evidence(end, (p, 1.0 - p), valid=end - 10 >= self.since)


class MeanDecoder:
    classes_ = MeanStream.classes

    def __init__(self, combination, critical=("signal", "emg", "imu")):
        self.combination, self.critical = combination, critical

    def start(self):
        streams = {"signal": MeanStream(50.0, hop=2), "emg": MeanStream(200.0), "imu": MeanStream(20.0)}
        return JoinedDecoderStream(
            streams,
            combination=self.combination,
            critical=self.critical,
            classes=self.classes_,
            remembers=False,
        )


FUSION = LateFusion({"signal": 0.5, "emg": 0.3, "imu": 0.2})


def raw(spec, rng, *, losses=()):
    """Values and raw stamps of a stream: jitter of a millisecond, and stretches ``(from_s, to_s)`` lost."""
    n = round(SECONDS * spec.fs)
    at = np.arange(n) / spec.fs
    values = np.repeat(rng.normal(0, 2, n // 20 + 1), 20)[:n, None] + rng.normal(0, 1, (n, 1))
    if spec.counter:
        values = np.column_stack([values, np.arange(n) % 256.0])
    kept = np.ones(n, dtype=bool)
    for start, stop in losses:
        kept &= ~((at >= start) & (at < stop))
    # An amplifier that stamps late does so by the delay that its contract declares.
    return values[kept], (100.0 + at + spec.delay_s + rng.uniform(0, 0.001, n))[kept]


class Bench:
    """Three streams that arrive in blocks, each at its own time, at a live source with a hop clock."""

    def __init__(self, seed, *, losses=None, blocks=0.02, late=None):
        rng = np.random.default_rng(seed)
        self.recorded, self.gaps, self.missing, self.now = [], [], [], 100.0
        specs, losses = (SIGNAL, EMG, IMU), losses or {}
        self.raw = {spec.role: raw(spec, rng, losses=losses.get(spec.role, ())) for spec in specs}
        self.arrivals = []
        for spec in specs:
            values, stamps = self.raw[spec.role]
            sizes = rng.integers(1, max(2, round(2 * blocks * spec.fs)), len(stamps))
            cuts = [0, *(cut for cut in np.cumsum(sizes).tolist() if cut < len(stamps)), len(stamps)]
            local = 100.0
            for first, last in zip(cuts, cuts[1:], strict=False):
                # It arrives after its last sample; a stream that stalls delivers everything when it goes on.
                local = max(local, stamps[last - 1] + rng.uniform(0, 0.02))
                if late and late[0] == spec.role and late[1] <= local - 100.0 < late[2]:
                    local = 100.0 + late[2]
                self.arrivals.append((local, spec.role, first, last))
        self.arrivals.sort(key=lambda arrival: arrival[0])
        self.offsets = [(3.0, "emg", 0.004), (5.0, "imu", -0.003), (5.5, "signal", 0.002)]
        self.clock = HopClock(
            {"emg": OtherStream(EMG), "imu": OtherStream(IMU)},
            record=self.recorded.append,
            clock=lambda: self.now,
            is_away=lambda role: False,
            timed_out=self.missing.append,
            gap=lambda role, marker: self.gaps.append((role, marker.sample)),
        )
        self.source = LiveSource(
            SIGNAL.fs,
            record=self.recorded.append,
            present=lambda marker: None,
            watermark=lambda: float("inf"),
            clock=lambda: self.now,
            timed_out=lambda stamp: None,
            hop_clock=self.clock,
        )
        self.source.plan(CUES)

    def _measure(self):
        while self.offsets and self.now - 100.0 > self.offsets[0][0]:
            _, role, offset = self.offsets.pop(0)
            if role == "signal":
                self.source.mark("clock_offset", stamp=self.now, offset_s=offset)
            self.source.correct(role, offset, stamp=self.now)

    def live(self):
        for local, role, first, last in self.arrivals:
            self.now = local
            self._measure()
            values, stamps = (part[first:last] for part in self.raw[role])
            if role == "signal":
                self.source.samples(values, stamps, local=local)
            else:
                self.clock.samples(role, values, stamps, local=local)
            yield from self.source.items()
        self.now += 1.0
        yield from self.source.finish(stamp=self.now)

    def replay(self, block):
        """The same from the recorded samples and markers alone."""
        values, stamps = self.raw["signal"]
        others = {
            spec.role: recorded(OtherStream(spec), *self.raw[spec.role], self.recorded) for spec in (EMG, IMU)
        }
        timeouts = [marker for marker in self.recorded if marker.kind == TIMEOUT]
        return join(self._signal(values, stamps, block), others, timeouts)

    def _signal(self, values, stamps, block):
        corrector, at = Corrector(Timebase(SIGNAL.fs)), 0
        for marker in [*sorted(self.recorded, key=lambda m: m.sample), Marker("end", len(stamps), 0.0)]:
            for first in range(at, marker.sample, block):
                rows = slice(first, min(first + block, marker.sample))
                yield from corrector.samples(values[rows], stamps[rows])
            at = max(at, marker.sample)
            yield from corrector.marker(marker)


def decisions(items, decoder):
    made = decode(items, paradigms.load("grasp_rest")(), decoder, fs=SIGNAL.fs)
    return [item for item in made if isinstance(item, Decision)]


LOSSES = st.dictionaries(
    st.sampled_from(["signal", "emg", "imu"]), st.tuples(st.tuples(st.floats(2, 4), st.floats(4, 4.6))), max_size=2
)


@settings(max_examples=examples(25))
@given(
    st.integers(0, 10**6), st.sampled_from([0.02, 0.1, 0.5]), st.sampled_from([7, 100, 5000]), LOSSES,
    st.sampled_from([None, ("emg", 2.0, 2.9), ("imu", 1.0, 3.0), ("signal", 3.0, 3.4)]),
)  # fmt: skip
def test_any_blocks_in_any_order_of_arrival_are_replayed_to_the_same_decisions(seed, blocks, block, losses, late):
    bench = Bench(seed, blocks=blocks, losses=losses, late=late)
    live = decisions(bench.live(), MeanDecoder(FUSION))
    assert live == decisions(bench.replay(block), MeanDecoder(FUSION))
    assert len(live) > 80


def test_without_a_stall_nothing_times_out_before_the_end_and_all_evidence_is_valid():
    bench = Bench(1)
    live = decisions(bench.live(), MeanDecoder(FUSION))
    assert bench.missing == [] == bench.gaps
    timeouts = [marker for marker in bench.recorded if marker.kind == TIMEOUT]
    assert all(marker.detail["until"] > 0.98 * 50 * SECONDS for marker in timeouts)
    assert all(decision.valid for decision in live if 1.0 < decision.stamp - 100.0 < SECONDS - 0.2)


def test_a_stall_is_a_timeout_that_names_what_was_used_and_makes_evidence_invalid_until_it_is_over():
    bench = Bench(2, late=("emg", 2.0, 3.0))
    live = decisions(bench.live(), MeanDecoder(FUSION))
    assert bench.missing == [("emg",)]
    first = next(marker for marker in bench.recorded if marker.kind == TIMEOUT)
    emg = first.detail["streams"]["emg"]
    assert emg["absent"]
    assert not first.detail["streams"]["imu"]["absent"]
    assert 100.0 + 1.9 < emg["last"] < first.stamp
    assert 0 < emg["used"] < 2.1 * 200
    valid = {round(d.stamp - 100.0, 2): d.valid for d in live}
    assert not any(ok for at, ok in valid.items() if 2.05 < at < 3.0 - TIMEOUT_S - 0.05)
    # It speaks for no class.
    assert {d.probabilities for d in live if 2.05 < d.stamp - 100.0 < 3.0 - TIMEOUT_S - 0.05} == {(0.5, 0.5)}
    assert all(ok for at, ok in valid.items() if 3.1 < at < SECONDS - 0.2)


def test_a_stream_that_is_not_critical_is_left_out_while_it_is_missing():
    bench = Bench(2, late=("emg", 2.0, 3.0))
    alone = decisions(bench.live(), MeanDecoder(FUSION, critical=("signal",)))
    assert all(d.valid for d in alone if 1.0 < d.stamp - 100.0 < SECONDS - 0.2)


@pytest.mark.parametrize(("role", "n_rows"), [("signal", 0), ("emg", 1), ("imu", 1)])
def test_a_gap_in_one_stream_is_a_row_and_touches_only_what_rests_on_it(role, n_rows):
    bench = Bench(3, losses={role: ((3.0, 4.4),)})
    whole = Bench(3)
    touched = decisions(bench.live(), MeanDecoder(FUSION, critical=("signal",)))
    plain = decisions(whole.live(), MeanDecoder(FUSION, critical=("signal",)))
    assert len(bench.gaps) == n_rows
    assert all(gap_role == role for gap_role, _ in bench.gaps)
    if role == "signal":
        return
    # Fused of what is left, and the same again once the stream's window is whole.
    assert all(d.valid for d in touched if 1.0 < d.stamp - 100.0 < SECONDS - 0.2)
    other = {d.stamp: d.probabilities for d in plain}
    assert all(d.probabilities == other[d.stamp] for d in touched if 0.5 < d.stamp - 100.0 < 2.9)


def test_a_closed_gate_rejects_what_the_signal_says():
    yes, no = Evidence(5, (0.9, 0.1)), Evidence(5, (0.2, 0.8))
    gating = Gating({"emg": ClassGate(0, 0.6)})
    assert gating.combine({"signal": yes, "emg": yes}) == yes
    assert gating.combine({"signal": yes, "emg": no}).rejected
    assert gating.combine({"signal": yes, "emg": Evidence(5, (0.9, 0.1), valid=False)}).rejected
    assert not gating.combine({"signal": yes, "emg": no}).far


@pytest.mark.parametrize(("level", "above", "below"), [(2.0, True, False), (1.75, False, True)])
def test_an_amplitude_at_its_limit_is_above_it(level, above, below):
    evidence = Evidence(5, (), values=(level,))
    assert (LevelGate(True, 2.0).agrees(evidence), LevelGate(False, 2.0).agrees(evidence)) == (above, below)


def test_an_offset_is_recorded_with_the_sample_of_its_stream_at_which_it_takes_effect():
    recorded_markers = []
    clock = HopClock(
        {"imu": OtherStream(IMU)}, record=recorded_markers.append, clock=lambda: 0.0, is_away=lambda role: False,
        timed_out=lambda roles: None, gap=lambda role, marker: None,
    )  # fmt: skip
    clock.samples("imu", np.zeros((7, 1)), np.arange(7) / 20.0, local=0.0)
    clock.set_offset("imu", 0.25, stamp=1.0)
    (marker,) = recorded_markers
    assert (marker.kind, marker.label) == ("stream_offset", "imu")
    assert marker.detail == {"at": 7, "offset_s": 0.25}
    assert SimpleNamespace(**marker.detail).at == clock.streams["imu"].seen


def test_samples_of_a_stream_that_is_not_decoded_change_nothing():
    bench = Bench(4)
    items = [*bench.live()]
    stray = Chunk(0, np.zeros((3, 1)), np.array([101.0, 101.1, 101.2]), stream="force")
    assert decisions([stray, *items], MeanDecoder(FUSION)) == decisions(items, MeanDecoder(FUSION))
