"""Ready programmes of a session: which streams, paradigm, decoder, effector, and who plays them.

A programme is what the demo, the notebooks and the dashboard run; a clinical study writes its own plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import numpy as np

from workbench import paradigms
from workbench.devices import replay, simulated_participant
from workbench.errors import BadSignal, BadValue
from workbench.live import SessionPlan
from workbench.recording import file_sha256
from workbench.signals import units
from workbench.study import Study, utc_now, uuid7
from workbench.vocabulary import Session, StreamSpec

SIGNAL, MARKERS = "demo-signal", "demo-markers"
"""source_ids of the played streams; the session's id is added so that two sessions never meet."""
FEWEST = 2
"""Trials of each condition that a calibration needs at the least."""


@dataclass(frozen=True)
class Programme:
    """Everything about a session but who and where.

    Attributes
    ----------
    words : the source in plain words; says what is simulated or replayed.
    signal, markers : the contract; ``markers`` is None where the engine presents the cues.
    player : device and options that play the signal.
    paradigm, paradigm_params, decoder, decoder_params, effector : names and parameters.
    trials : planned trials of each run, the calibration runs first, the online run last.
    durations : stream seconds of each run, in the same order.
    notes : what a reader of the source's files should know, one sentence each.
    """

    words: str
    simulated: bool
    signal: StreamSpec
    player: Mapping[str, Any]
    paradigm: str
    paradigm_params: Mapping[str, Any]
    decoder: str
    decoder_params: Mapping[str, Any]
    trials: tuple[int, ...]
    durations: tuple[float, ...]
    effector: str | None = None
    markers: StreamSpec | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Stream time of all runs, s."""
        return sum(self.durations)

    def new_session(
        self,
        study: Study,
        *,
        visit: str,
        operator: str,
        speed: float = 1.0,
        seed: int = 0,
        script_present: bool = False,
        identity: str = "",
    ) -> SessionPlan:
        """Enter a session of a visit into the record and return its plan.

        Parameters
        ----------
        study : the open record. visit : id of the visit. operator : who runs it.
        speed : stream time over real time. seed : of the players.
        script_present : whether a script stands in for somebody in front of the screen.
        identity : how the participant was confirmed (``"wristband, 08:58, Lin Q."``), ``""`` for not at all.
        """
        seen = study.get("visit", visit)
        session = uuid7()
        person = study.get("participant", seen["participant_id"])["pseudonym"]
        signal = _own(self.signal, session)
        markers = None if self.markers is None else _own(self.markers, session)
        options: dict[str, Any] = {**self.player["options"], "source_id": signal.source_id}
        if markers is not None:
            options["marker_source_id"] = markers.source_id
        players: list[dict[str, Any]] = [{"device": self.player["device"], "options": options}]
        if self.effector is not None:
            players.append({"device": f"simulated_{self.effector}", "options": {}})
        plan = SessionPlan(
            study_folder=str(study.folder),
            study=study.code,
            participant=str(person),
            visit=str(seen["name"]),
            session_id=session,
            operator=operator,
            contract=(signal,) if markers is None else (signal, markers),
            effector=self.effector,
            players=tuple(players),
            speed=speed,
            seed=seed,
            simulated=self.simulated,
            cue_source="engine" if markers is None else "stream",
            labels=self.labels,
            script_present=script_present,
        )
        stored = {**json.loads(plan.to_json()), "source": self.words}
        study.append(
            Session(
                visit,
                operator,
                id=session,
                started=utc_now(),
                simulated=self.simulated,
                plan=stored,
                identity=identity,
            )
        )
        return plan


def of(
    files: Sequence[Path], conditions: Mapping[str, str], *, seed: int, unit: str = "", declared_by: str = ""
) -> Programme:
    """The programme that the command line asked for: recordings when it named any, else the simulation."""
    if files or conditions or unit or declared_by:
        return recorded(files, conditions, unit=unit, declared_by=declared_by)
    return simulated(seed=seed)


def simulated(*, seed: int = 1, calibration_trials: int = 16, online_trials: int = 15) -> Programme:
    """A simulated participant with an 8-channel epidural implant who grasps; a simulated glove follows."""
    options = {"preset": "neo", "seed": seed, "source_id": SIGNAL}
    paradigm = paradigms.load("grasp_rest")()
    signal = simulated_participant.spec(options)
    counts = (calibration_trials, online_trials)
    ends = [paradigm.schedule(n, seed=seed)[-1] for n in counts]
    return Programme(
        words="simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
        simulated=True,
        signal=signal,
        player={"device": "simulated_participant", "options": options},
        paradigm=paradigm.name,
        paradigm_params=paradigm.params(),
        decoder="bandpower_lda",
        decoder_params={"fs": signal.fs},
        trials=counts,
        durations=tuple(end.at_s + end.duration_s for end in ends),
        effector="glove",
    )


def recorded(
    files: Sequence[Path], conditions: Mapping[str, str], *, unit: str = "", declared_by: str = ""
) -> Programme:
    """Real recordings through LSL: the first calibrate, the last is decoded online, causally.

    Parameters
    ----------
    files : two or more recordings of one montage.
    conditions : annotation → condition, exactly two.
    unit, declared_by : the unit of recordings that state none, and the name of who vouches for it.

    Raises
    ------
    BadValue
        With fewer than two files, one file twice, other than two conditions, a file without them or with
        another montage, or a unit that is neither stated nor declared, stated and declared, or implausible.
    RecordingFault
        When a file cannot be read.
    """
    if len(files) < 2:
        raise BadValue(
            f"--recordings needs two files or more (the first calibrate, the last is decoded online), got "
            f"{len(files)}; name them after --recordings"
        )
    _check_names(conditions)
    heads = [replay.head(path, conditions=conditions) for path in files]
    _check_distinct(files)
    for head in heads[1:]:
        if difference := _difference(heads[0], head):
            raise BadValue(
                f"{head.path.name} is of another montage than {heads[0].path.name}: {difference}; a decoder is "
                "made for one montage, name recordings of the same one"
            )
    _check_enough(heads[:-1], conditions)
    signal = _vouched(heads, unit.strip(), declared_by.strip())
    paradigm = paradigms.from_params("left_right", {"conditions": list(dict.fromkeys(conditions.values()))})
    return Programme(
        words=f"replayed recordings {', '.join(path.name for path in files)}; no effector",
        simulated=False,
        signal=signal,
        markers=heads[0].markers(MARKERS),
        player={"device": "replay", "options": {"files": [str(path.absolute()) for path in files]}},
        paradigm=paradigm.name,
        paradigm_params=paradigm.params(),
        decoder="csp_lda",
        decoder_params={"fs": heads[0].fs},
        trials=tuple(head.n_cues for head in heads),
        durations=tuple(head.seconds for head in heads),
        labels=dict(conditions),
        notes=tuple(f"{head.path.name}: {note}" for head in heads for note in head.notes),
    )


def _check_names(conditions: Mapping[str, str]) -> None:
    """Two conditions, neither of them the name of rest."""
    got = ", ".join(f"{k}={v}" for k, v in conditions.items()) or "none"
    if len(set(conditions.values())) != 2:
        raise BadValue(f"--conditions must name two different conditions, as in T1=hands,T2=feet; got {got}")
    if "rest" in conditions.values():
        raise BadValue(f"'rest' is the time between the trials, not a condition; give it another name, got {got}")


def _check_distinct(files: Sequence[Path]) -> None:
    """A recording that also calibrated would make the accuracy worthless."""
    seen: dict[str, Path] = {}
    for path in files:
        digest = file_sha256(path)
        if digest in seen:
            raise BadValue(
                f"{path.name} holds the same recording as {seen[digest].name}; each may be given once, because "
                "a decoder that is tested on what it was calibrated with says nothing"
            )
        seen[digest] = path


def _vouched(heads: Sequence[replay.Head], unit: str, by: str) -> StreamSpec:
    """The contract of the signal, with the unit that the recordings state or that somebody declares by name."""
    if bool(unit) != bool(by):
        raise BadValue(
            f"a unit is declared by somebody: --unit and --declared-by go together, got unit {unit!r} and name "
            f"{by!r}; give both, or neither when the recordings state their unit"
        )
    first = heads[0]
    signal = changed(first.signal(SIGNAL), unit=unit or first.unit, unit_declared_by=by)
    try:
        found = units.of_stream(signal, (first.unit,) * len(first.channels), len(first.channels))
    except BadSignal as error:
        remedy = "" if unit else ". Here that is --unit UNIT --declared-by NAME"
        raise BadValue(f"{first.path.name}: {error}{remedy}") from error
    if unit and found.source != "declared":
        raise BadValue(
            f"{first.path.name} states its unit itself ({first.unit}); leave --unit and --declared-by out"
        )
    if unit and units.is_voltage(unit):
        for head in heads:
            if problem := units.implausible(_amplitudes(replay.load(head.path), found)):
                raise BadValue(
                    f"{head.path.name} cannot be in {unit}, as {by} declares: {problem}; declare the unit in "
                    "which it was recorded"
                )
    return signal


def _amplitudes(recorded: replay.Recorded, found: units.StreamUnits) -> list[float]:
    """Root mean square of each channel about its mean, µV: the median over the whole seconds of a recording."""
    n = max(1, round(recorded.head.fs))
    values = found.scale(recorded.samples)
    whole = max(1, len(values) // n)
    seconds = values[: whole * n].reshape(whole, -1, values.shape[1])
    return [float(value) for value in np.median(seconds.std(axis=1), axis=0)]


def _check_enough(heads: Sequence[replay.Head], conditions: Mapping[str, str]) -> None:
    """Each condition needs trials to calibrate with."""
    for name in dict.fromkeys(conditions.values()):
        n = sum(conditions.get(a.text) == name for head in heads for a in head.annotations)
        if n < FEWEST:
            raise BadValue(
                f"the calibration recordings ({', '.join(h.path.name for h in heads)}) hold too few trials "
                f"of {name!r}: {n}, at least {FEWEST} are needed; add a calibration recording before the last file"
            )


def _difference(first: replay.Head, other: replay.Head) -> str:
    """How the montage of a recording differs from that of the first, ``""`` when it does not."""
    if other.fs != first.fs:
        return f"its rate is {other.fs:g} Hz instead of {first.fs:g} Hz"
    if len(other.channels) != len(first.channels):
        return f"it has {len(other.channels)} channels instead of {len(first.channels)}"
    for i, (got, want) in enumerate(zip(other.channels, first.channels, strict=True), 1):
        if got != want:
            return f"its channel {i} is {got!r} instead of {want!r}"
    return "" if units.same(other.unit, first.unit) else f"its unit is {other.unit!r} instead of {first.unit!r}"


def _own(spec: StreamSpec, session: str) -> StreamSpec:
    """The contract line with a source_id that belongs to one session."""
    return changed(spec, source_id=f"{spec.source_id}-{session}")
