"""What a life begins with: a study, a simulated person, an approved decoder, and the plan of a session."""

from __future__ import annotations

import contextlib
import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from workbench import devices, live, runs, systems, world
from workbench.devices import simulated_participant
from workbench.errors import BadValue
from workbench.live import SessionPlan
from workbench.runs import approve, fitting
from workbench.simulation import amplifier, clinic
from workbench.simulation.virtual_world import VirtualWorld
from workbench.study import Study, uuid7
from workbench.study.keys import kept_in
from workbench.vocabulary import Participant, Session, Visit

Depth = Literal["signals", "evidence", "trial"]
"""Every sample made, journalled and decoded; an amplifier that makes few, in which the evidence is drawn; or the
people of a trial over weeks, with sessions now and then."""
DEPTHS: tuple[str, ...] = get_args(Depth)
HAND = "neo_hand"
"""The hand system, whose runs are short and whose lives are the most."""
FAST = {"attempt_s": 2.0, "rest_s": 2.5, "jitter_s": 0.2, "lead_in_s": 1.0}
"""The hand system's cues in a life: a decision every few seconds."""
PAUSES = {"lead_in_s": 2.0, "rest_s": 3.0}
"""Longest pauses of another system's run in a life, s: what a person needs them for does not happen there."""
IDLE_S = 20.0
"""How long the simulated effector stays where no engine is to be seen, s."""
PERSON, OTHER = "SIM-01", "SIM-02"
"""Whose decoder is approved, and somebody else in the same study."""
LEVEL = "T10"
"""Of their lesion, which limits of stimulation ask for."""
SEED = 3
"""Of the simulated person."""
ADAPTING = {
    "recentre": "riemann_mdm",
    "pmean": "bandpower_lda",
    "supervised": "bandpower_lda",
    "blocks": "rew_pls",
}
"""Decoder of the hand system by the rule after which it adapts."""
BLOCKS = {"block_s": 4.0, "delay_s": 2.0}
"""Of the rule ``blocks``: a run of a life is shorter than two of the default blocks, s."""
CALIBRATION = 8
"""Trials of the hand system's calibration."""


@dataclass(frozen=True)
class Scene:
    """A study from which lives begin.

    Attributes
    ----------
    folder : with ``study`` and ``keys``.
    depth : how deep its sessions go.
    system : whose sessions they are.
    adapts : rule after which the decoder adapts, of :data:`ADAPTING`; empty for one that does not.
    calibrated : whether it has a decoder, so that there can be sessions.
    """

    folder: Path
    depth: Depth = "signals"
    system: str = HAND
    adapts: str = ""
    calibrated: bool = True

    @property
    def kind(self) -> str:
        """Kind of the runs in which it moves or stimulates; without a decoder the plan alone says when."""
        return "online" if self.system == HAND or self.bound.decoder else "open_loop"

    @property
    def bound(self) -> systems.BoundSystem:
        """The system with its simulator."""
        return systems.simulate(systems.load(self.system), seed=SEED)

    @property
    def paradigm(self) -> tuple[str, dict[str, Any]]:
        """Name and parameters of a run in which it moves or stimulates."""
        if self.system == HAND:
            return "grasp_rest", dict(FAST)
        bound = self.bound
        params = bound.params_of(self.kind)
        short = {name: min(most, params[name]) for name, most in PAUSES.items() if name in params}
        return bound.paradigm_of(self.kind), {**params, **short}

    @property
    def stimulation(self) -> systems.Stimulation | None:
        """What its sessions stimulate with; None where nothing stimulates."""
        return systems.load(self.system).stimulation

    @property
    def effector(self) -> str:
        """Name of the effector's profile."""
        return str(systems.load(self.system).effector)

    def plan(self, study: Study, *, seed: int, block_s: float, person: str = PERSON) -> SessionPlan:
        """A new session of a simulated person with a simulated effector, entered into the record.

        Parameters
        ----------
        study : the open record.
        seed : of the session.
        block_s : length of a block of samples by the clock, s.
        person : whose session it is.
        """
        (who,) = study.rows("participant", pseudonym=person)
        visit = str(study.rows("visit", participant_id=who["id"])[0]["id"])
        if self.system != HAND:
            plan = self.bound.new_session(
                study, visit=visit, operator="simulation", seed=seed, script_present=True
            )
            return replace(plan, players=tuple(_kept(player, block_s) for player in plan.players))
        session = uuid7()
        study.append(Session(visit, "simulation", id=session, simulated=True))
        played = {"preset": "neo", "seed": SEED, "source_id": f"sig-{session}", "block_s": block_s}
        glove = {"device": "simulated_glove", "options": {"loss": 0.0, "idle_s": IDLE_S}}
        signal = {"device": "simulated_participant", "options": played}
        drawn = self.depth == "evidence"
        return SessionPlan(
            study_folder=str(study.path.parent),
            study="SIM",
            participant=person,
            visit="V1",
            session_id=session,
            operator="simulation",
            contract=(amplifier.spec(f"sig-{session}") if drawn else simulated_participant.spec(played),),
            effector="glove",
            players=(glove,) if drawn else (signal, glove),
            seed=seed,
            simulated=True,
            script_present=True,
        )


def _kept(player: Any, block_s: float) -> dict[str, Any]:
    """A player with blocks of a length, or a device that loses no message by itself and stays for a while."""
    known = devices.load(player["device"]).options
    usual = {"block_s": block_s, "loss": 0.0, "idle_s": IDLE_S}
    more = {name: value for name, value in usual.items() if name in known}
    return {"device": player["device"], "options": {**player["options"], **more}}


def begin(made: VirtualWorld, plan: SessionPlan) -> live.Client:
    """Start a session, its drawn amplifier first where it has one."""
    signal = plan.signal
    if signal.name == amplifier.NAME:
        cues = plan.source_id("cues")
        for process in made.scheduler.processes.values():
            if process.alive and process.name == "simulated_participant":
                world.computer.send_signal(process.pid, "SIGTERM")
        made.start("simulated_participant", lambda: amplifier.play(signal.source_id, cues, seed=plan.seed))
    return live.start(plan)


def template(folder: Path, *, depth: Depth = "signals", system: str = HAND, adapts: str = "") -> Scene:
    """A study with a simulated person and an approved decoder if one decodes, made in a world without bad luck.

    Parameters
    ----------
    folder : empty; gets ``study`` and ``keys``.
    depth : how deep its sessions go.
    system : whose sessions they are.
    adapts : rule after which the decoder adapts, of :data:`ADAPTING`; by default it does not.

    Raises
    ------
    BadValue
        For a system without a simulator, without an effector, or whose cues a page presents; for another depth
        than that of its signals where the system is not the hand system; and for a decoder that adapts elsewhere.
        In a trial sessions are those of the hand system, whose decoder does not adapt.
    """
    if depth == "trial":
        return _trial(folder, system, adapts)
    scene = Scene(folder, depth, system, adapts)
    if adapts and (adapts not in ADAPTING or (system, depth) != (HAND, "signals")):
        raise BadValue(
            f"--adapts {adapts} is not possible with --system {system} and --depth {depth}; allowed are "
            f"{', '.join(ADAPTING)} with {HAND} and signals"
        )
    if system != HAND:
        _check(scene)
    quiet, at = VirtualWorld(0), folder / "study"

    def begun() -> int:
        study = Study.create(at, code="SIM", title="simulated lives", actor="simulation")
        person, other = (
            study.append(Participant(code, simulated=True, injury_level=LEVEL)) for code in (PERSON, OTHER)
        )
        for who in (person, other):
            study.append(Visit(who, "V1"))
        if scene.stimulation is not None:
            systems.put_examples_into_force(study, scene.stimulation.example, operator="simulation")
        if scene.kind == "online":
            _approve(scene, quiet, study, person)
        study.close()
        for process in quiet.scheduler.processes.values():
            if process.alive and process.name == "simulated_participant":
                world.computer.send_signal(process.pid, "SIGTERM")
        return 0

    # What players write to their logs is nobody's to read.
    with kept_in(folder / "keys"), quiet.entered(), contextlib.redirect_stderr(io.StringIO()):
        process = quiet.start("calibration", begun)
        quiet.scheduler.run(until_s=36000.0, done=lambda: not process.alive)
        for _, _, error in quiet.scheduler.defects:
            raise error
    return scene


def _approve(scene: Scene, made: VirtualWorld, study: Study, person: str) -> None:
    """A simulated person calibrates, and a script approves the decoder for that person."""
    client = begin(made, scene.plan(study, seed=0, block_s=0.02))
    recorded = [study.folder / "recordings" / f"{run}.xdf" for run in _calibration_runs(scene, client)]
    client.shutdown()
    runs.ingest_pending(study)
    sha256 = approve.enter(study, _fitted(scene, study.folder, recorded))
    signed = study.script_signer("simulation").confirm()
    approve.approve(
        study, sha256, effector=scene.effector, participant_id=person, by=signed, reason="simulated lives"
    )


def _trial(folder: Path, system: str, adapts: str) -> Scene:
    """A trial whose people hold sessions now and then."""
    if system != HAND or adapts:
        raise BadValue(
            f"--depth trial is for {HAND} without --adapts; got {system} {adapts}".rstrip() + "; leave both out"
        )
    return clinic_of(folder, template(folder / "calibrated"))


def _check(scene: Scene) -> None:
    system = systems.load(scene.system)
    bound = scene.bound  # refuses a system without a simulator
    if system.effector is None or bound.markers is not None or bound.flickers:
        raise BadValue(
            f"--system {scene.system} has no effector, or a page presents its cues; allowed are systems whose "
            f"engine presents cues and moves an effector, such as {HAND}"
        )
    if scene.depth != "signals":
        raise BadValue(f"--depth {scene.depth} is for {HAND} alone; use --depth signals with {scene.system}")


def _calibration_runs(scene: Scene, client: live.Client) -> list[str]:
    """Runs of the person's calibration, each waited for."""
    if scene.system == HAND:
        planned = [("grasp_rest", FAST, CALIBRATION)]
    else:
        bound = scene.bound
        planned = [(bound.paradigm, bound.params_of("calibration"), n) for n in bound.trials[:-1]]
    done = []
    for paradigm, params, n in planned:
        done.append(client.start_run("calibration", paradigm, params, n_trials=n))
        client.wait("run", timeout=3600.0)
    return done


def _fitted(scene: Scene, at: Path, recorded: list[Path]) -> dict[str, Any]:
    if scene.depth == "evidence":
        return fitting.fit(at, recorded, amplifier.DECODER, amplifier.PARAMS)
    if scene.adapts:
        more = BLOCKS if scene.adapts == "blocks" else {}
        params = {"window_s": 1.0, "adapt": {"rule": scene.adapts, "longest_rest_s": 60.0, **more}}
        return fitting.fit(at, recorded, ADAPTING[scene.adapts], params)
    if scene.system == HAND:
        return fitting.fit(at, recorded, "bandpower_lda")
    bound = scene.bound
    return fitting.fit(at, recorded, bound.decoder, bound.decoder_params)


def clinic_of(folder: Path, scene: Scene | None = None) -> Scene:
    """A study in which a trial begins, made in a world without bad luck.

    Parameters
    ----------
    folder : empty; gets ``study`` and ``keys``.
    scene : whose study it goes on from, so that there are sessions in it; None begins a study without any.
    """
    quiet, at = VirtualWorld(0), folder / "study"
    if scene is not None:
        for name in ("study", "keys"):
            shutil.copytree(scene.folder / name, folder / name)

    def founded() -> int:
        if scene is None:
            study = Study.create(at, code="SIM", title="simulated trials", actor="simulation")
        else:
            study = Study.open(at, actor="simulation")
        with study:
            clinic.found(study)
        return 0

    with kept_in(folder / "keys"), quiet.entered():
        process = quiet.start("founding", founded)
        quiet.scheduler.run(until_s=3600.0, done=lambda: not process.alive)
        for _, _, error in quiet.scheduler.defects:
            raise error
    return Scene(folder, "trial", calibrated=scene is not None)
