"""A ready system, and how a session with it is entered into the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

from workbench.live import SessionPlan
from workbench.study import Study, utc_now, uuid7
from workbench.vocabulary import Session, StreamSpec

SIGNAL, MARKERS = "demo-signal", "demo-markers"
"""source_ids of the played streams; the session's id is added so that two sessions never meet."""


@dataclass(frozen=True)
class System:
    """Everything about a session except who and where.

    Attributes
    ----------
    source : where the samples come from, in plain words; says what is simulated or replayed.
    simulated : whether the participant is.
    signal, markers : the contract; ``markers`` is None where the engine presents the cues.
    player : device and options that play the signal.
    paradigm, paradigm_params, decoder, decoder_params, effector : names and parameters.
    trials : planned trials of each run, the calibration runs first, the online run last.
    durations : of each run in the same order, s of stream time.
    labels : annotation of the recordings → condition.
    notes : what a reader of the source's files should know, one sentence each.
    """

    source: str
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
        study, visit, operator : the open record, id of the visit, and who runs the session.
        speed, seed : stream time over real time, and seed of the players.
        script_present : whether a script stands in for a person in front of the screen.
        identity : how the participant was confirmed (``"wristband, 08:58, Lin Q."``), ``""`` for not at all.
        """
        visit_row = study.get("visit", visit)
        session = uuid7()
        person = study.get("participant", visit_row["participant_id"])["pseudonym"]
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
            visit=str(visit_row["name"]),
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
        stored = {**json.loads(plan.to_json()), "source": self.source}
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


def _own(spec: StreamSpec, session: str) -> StreamSpec:
    """The contract line with a source_id that belongs to one session."""
    return changed(spec, source_id=f"{spec.source_id}-{session}")
