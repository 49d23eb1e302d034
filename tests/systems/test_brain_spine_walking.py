"""Current flows while the cortex means to walk and the phase of the stride lies in a block, and never else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.control.conftest import Bench
from tests.stimulation.worked import signed
from tests.systems.demos import check_a_walk_that_was_stimulated_in_phase, demo
from tests.systems.walkers import Person
from workbench import control, decoders, devices
from workbench.decode import decode
from workbench.devices import simulated_participant, simulated_spinal_participant
from workbench.devices._physiology import GAIT, LEGS
from workbench.engine.players import player_options
from workbench.errors import BadValue
from workbench.stimulation import Setup, Wearer
from workbench.study import Study
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import Beside, brain_spine_walking, simulate, stride_stimulation
from workbench.systems._stride import BLOCKS, BOUTS, SWINGS, WALK
from workbench.systems.brain_spine_walking import ARRAYS, CORTEX, INTENT, SYSTEM
from workbench.vocabulary import Chunk, Decision, Marker, Participant, Visit

HOP_S = 0.05


# ------------------------------------------------------------------------------ the description and its binding
def test_the_stride_is_the_signal_the_cortex_its_gate_and_nothing_is_decided_without_either():
    bound = simulate(SYSTEM)
    assert [(line.role, line.type) for line in bound.contract] == [("signal", "IMU"), (CORTEX, "ECoG")]
    params = bound.decoder_params
    assert (bound.decoder, set(params["members"])) == ("gating", {"signal", CORTEX})
    assert params["members"]["signal"]["decoder"] == "cycle_phase"
    assert params["gates"] == {CORTEX: [WALK, INTENT]}
    assert set(params["critical"]) == {"signal", CORTEX}
    assert all(line.critical for line in bound.contract)
    assert all(one.critical for one in SYSTEM.inputs if one.kind != "markers")


def test_blocks_programme_and_limits_are_those_of_the_stride_alone_and_no_wider():
    stride = stride_stimulation.SYSTEM
    assert SYSTEM.task().law == stride.task().law
    assert SYSTEM.task().law.blocks == BLOCKS
    assert (SYSTEM.stimulation, SYSTEM.limits, SYSTEM.effector) == (stride.stimulation, None, "epidural")
    assert set(stride.checks) < set(SYSTEM.checks)
    assert SYSTEM.own_forms == stride.own_forms == (SWINGS,)


def begun(folder: Path):
    """The plan of a simulated session, with the example of limits in force."""
    with Study.create(folder, code="T", title="t", actor="tests") as study:
        signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
        for limits in SYSTEM.stimulation.example:
            study.apply(AdoptStimulationLimits(limits.definition()), signers, "tests")
        somebody = study.append(Participant("P01", simulated=True, injury_level="T10"))
        visit = study.append(Visit(somebody, "V1"))
        return simulate(SYSTEM, seed=7).new_session(study, visit=visit, operator="Chen L.", seed=7)


def test_two_players_of_one_seed_follow_the_same_cues_and_play_the_streams_of_the_plan(tmp_path):
    plan = begun(tmp_path / "study")
    shanks, arrays = plan.contract
    legs, cortex, stimulator = plan.players
    names = [player["device"] for player in (legs, cortex, stimulator)]
    assert names == [*SYSTEM.simulator.devices, "simulated_epidural"]
    of_legs, of_cortex = (player_options(plan, player) for player in (legs, cortex))
    assert of_legs["cue_source_id"] == of_cortex["cue_source_id"] == plan.source_id("cues")
    assert of_legs["seed"] == of_cortex["seed"] == 7
    (played,) = [line for line in simulated_spinal_participant.specs(of_legs) if line.role == "signal"]
    assert played == shanks
    assert replace(simulated_participant.spec(of_cortex), role=CORTEX) == arrays
    # Of the streams of the other neither knows.
    for name, options in zip(names, (of_legs, of_cortex), strict=False):
        assert set(options) <= set(devices.load(name).options)
    assert "stimulator" in of_legs


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (Beside("nobody", {}, (CORTEX,)), "names no device there is: 'nobody'"),
        (Beside("simulated_participant", {}, ("signal",)), "plays streams of its own .* got signal"),
        (Beside("simulated_participant", {}, ("emg",)), "plays streams of its own .* got emg"),
        (Beside("simulated_participant", {}, ()), "plays streams of its own .* got none"),
    ],
)
def test_a_further_player_plays_a_stream_that_is_decoded_beside_the_signal(beside, said):
    with pytest.raises(BadValue, match=said):
        replace(SYSTEM, simulator=replace(SYSTEM.simulator, beside=(beside,)))


def test_the_cortex_of_a_walk_has_both_legs_half_of_the_time_and_the_rest_of_the_legs_cortex():
    assert replace(LEGS, name="gait", patterns=GAIT.patterns) == GAIT
    ((name, weights),) = GAIT.patterns
    joints = np.array([shares for _, shares in LEGS.patterns])
    assert name == WALK
    np.testing.assert_allclose(weights, joints.sum(axis=0) / 2)
    assert max(weights) <= 1.0


# --------------------------------------------------------------------------------- cortex and legs, each by itself
@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    """A person, and the decoder that the usual fit makes of a calibration in three bouts."""
    person = Person(101)
    fitted = person.calibrate(tmp_path_factory.mktemp("walker"), 3)
    return person, decoders.read(Path(fitted["folder"])), fitted


def both(*stretches):
    """Legs and cortex that do the same."""
    return {"legs": stretches, "cortex": stretches}


def armed() -> Bench:
    """The system's effector, armed: limits signed, impedances measured, and somebody answers for the harness."""
    limits = tuple(signed(one, "chen", "lin") for one in SYSTEM.stimulation.example)
    setup = Setup(SYSTEM.stimulation.programme, limits, Wearer("T10"))
    bench = Bench(control.load(SYSTEM.effector), stimulation=setup, law=SYSTEM.task().law, hop_s=HOP_S)
    places = {(one.lead, contact) for one in setup.programme.channels for contact in one.contacts}
    bench.controller.stimulation.take_impedances([(*place, 1000.0) for place in sorted(places)], local=bench.local)
    bench.controller.stimulation.take_holder("Chen L.", local=bench.local)
    bench.arm()
    assert bench.state == "ARMED"
    return bench


def delivered(shanks, ecog, start_s: float, *, fault: str, at_s: float):
    """Both streams as a session hands them on.

    Parameters
    ----------
    shanks, ecog : of the same seconds. start_s : stamp of the first samples.
    fault : from ``at_s`` on ``"ecog lost"``, or half a second is missing: ``"ecog gap"`` or ``"shanks gap"``.
    """
    n, m, sent, gap = 10, 50, 0, np.array([at_s, at_s + 0.5]) + start_s
    for block in range(len(shanks) // n):
        until = min(m * (block + 1) + 1, len(ecog))
        until = min(until, round(at_s * ARRAYS.fs)) if fault == "ecog lost" else until
        stamps = start_s + np.arange(sent, until) / ARRAYS.fs
        missing = (fault == "ecog gap") & (stamps >= gap[0]) & (stamps < gap[1])
        if sent and missing[:1].any() and not missing.all():
            yield Marker("gap", 0, gap[1], CORTEX, {"missing_s": 0.5})
        if (~missing).any():
            yield Chunk(sent, ecog[sent:until][~missing], stamps[~missing], stream=CORTEX)
        sent = max(sent, until)
        rows = np.arange(n * block, n * (block + 1))
        if fault == "shanks gap" and block == round(at_s * 10):
            yield Marker("gap", int(rows[0]), start_s + at_s, detail={"missing_s": 0.5})
        yield Chunk(int(rows[0]), shanks[rows], start_s + rows / 100.0)


class Followed:
    """What came of both streams: decisions, who agreed at each, and the level of each channel after each."""

    def __init__(self, decoder, shanks, ecog, *, fault: str = "", at_s: float = 0.0) -> None:
        self.bench = bench = armed()
        self.decisions: list[Decision] = []
        self.agreed, self.levels, streams = [], [], []
        items = delivered(shanks, ecog, bench.stream, fault=fault, at_s=at_s)
        for made in decode(items, BOUTS, decoder, fs=100.0, begun=lambda _, stream: streams.append(stream)):
            if not isinstance(made, Decision):
                continue
            bench.tick(HOP_S)
            bench.deliver(
                bench.controller.on_decision(made, now_stream=bench.stream, local=bench.local, quality_ok=True)
            )
            self.decisions.append(made)
            self.agreed.append(dict(streams[0].agreed))
            self.levels.append(bench.controller.level)

    @property
    def flows(self):
        """Whether current was asked for at any time."""
        return any(any(command.level) for command in self.bench.sent)

    def share(self, role: str) -> float:
        """Share of the decisions at which a stream agreed."""
        return float(np.mean([agreed[role] for agreed in self.agreed]))


@pytest.mark.job
def test_who_walks_and_means_it_is_stimulated_in_the_blocks_of_the_stride_and_nowhere_else(walker):
    person, decoder, _ = walker
    followed = Followed(decoder, *person.live(**both((4.0, False), (24.0, True), (6.0, False))))
    assert followed.flows
    channels = {tuple(np.flatnonzero(level)) for level in followed.levels if any(level)}
    assert channels == {(0,), (1,)}
    for decision, agreed, level in zip(followed.decisions, followed.agreed, followed.levels, strict=True):
        if any(level):
            assert all(agreed.values())
            assert SYSTEM.task().law.window_at(decision.values[0]) == BLOCKS[int(np.flatnonzero(level)[0])][0]


def test_a_cortex_that_means_to_walk_while_the_person_stands_moves_nothing(walker):
    person, decoder, _ = walker
    stands, means = [(24.0, False)], [(4.0, False), (16.0, True), (4.0, False)]
    followed = Followed(decoder, *person.live(legs=stands, cortex=means))
    assert followed.share(CORTEX) > 0.5, "the intent was there"
    assert not followed.flows


def test_legs_that_somebody_else_moves_get_no_current_while_the_cortex_rests(walker):
    person, decoder, _ = walker
    lived = person.live(legs=[(4.0, False), (24.0, True)], cortex=[(28.0, False)])
    followed = Followed(decoder, *lived)
    assert followed.share("signal") > 0.5, "the phase was known"
    passed = {SYSTEM.task().law.window_at(one.values[0]) for one in followed.decisions}
    assert {name for name, _, _ in BLOCKS} < passed
    assert not followed.flows
    # The cortex it is that holds back: a gate that opens at rest lets the same steps through.
    assert Followed(replace(decoder, gates={CORTEX: ("rest", INTENT)}), *lived).flows


@pytest.mark.parametrize(("fault", "for_s"), [("ecog lost", 12.0), ("ecog gap", 0.4), ("shanks gap", 7.9)])
def test_where_the_cortex_or_the_shanks_are_lost_or_have_a_gap_nothing_is_let_through(walker, fault, for_s):
    person, decoder, _ = walker
    at_s = 16.0
    followed = Followed(decoder, *person.live(**both((4.0, False), (24.0, True))), fault=fault, at_s=at_s)
    assert any(any(level) for level in followed.levels[: round(at_s / HOP_S)])
    # From the first decision that lies behind it, for as long as a window of that stream holds the gap.
    after = slice(round(at_s / HOP_S) + 1, round((at_s + for_s) / HOP_S))
    assert not any(one.valid for one in followed.decisions[after])
    assert not any(any(level) for level in followed.levels[after])
    assert followed.decisions[-1].valid == (fault != "ecog lost")


def test_a_fit_states_how_well_each_stream_tells_walking_from_standing(walker):
    *_, fitted = walker
    streams = fitted["metrics"]["streams"]
    assert streams[CORTEX]["opened"][WALK] == [3, 3]
    assert streams[CORTEX]["opened"]["rest"][0] == 0
    assert streams["signal"]["auc"] == 1.0
    assert fitted["metrics"]["correct"] == fitted["metrics"]["n"]


@pytest.mark.release
@pytest.mark.timeout(300)
def test_a_walk_that_is_meant_is_stimulated_in_phase_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    made = demo(tmp_path / "walk", brain_spine_walking, monkeypatch, speed=4)
    said = capsys.readouterr().out
    check_a_walk_that_was_stimulated_in_phase(tmp_path / "walk", brain_spine_walking, made, said)
