"""Runs in which a schedule moves the effector: passive, open loop, sham and mapping.

The decoder of such a run, where it has one, decides and is recorded; nothing that it says reaches the effector.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench import control
from workbench.control import Move, MoveSchedule, Step
from workbench.engine.run_request import RunRequest
from workbench.errors import Refused
from workbench.live.plan import SessionPlan
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.vocabulary import Marker

SHAM_SHARE = 0.8
"""Share of the trials of a self-paced sham run in which the effector moves; as often as in a fair online run."""
SHAM_SHARE_CUED = 0.5
"""The same where a cue has one of two conditions."""
SHORTEST_DELAY_S = 0.5
"""Nobody reacts sooner to a cue, so that an earlier move would give a self-paced sham run away, s."""


def scheduled(request: RunRequest, plan: SessionPlan) -> RunRequest:
    """The request of a run, with the moves of a sham run drawn.

    Parameters
    ----------
    request : checked. plan : of its session.

    Raises
    ------
    Refused
        When no schedule may move an effector in this session, or the run to repeat has too few trials.
    RecordingFault
        When the recording of the run to repeat cannot be read.
    """
    if not request.scheduled:
        return request
    kind = control.SCHEDULED[request.kind]
    if plan.effector is None:
        raise Refused(Message("schedule.no_effector", kind=kind))
    if plan.law.guided:
        raise Refused(Message("schedule.guided", kind=kind, effector=plan.effector))
    # Markers of other programs are not signed: what they say may be decoded, and moves nothing by itself.
    if plan.cue_source != "engine" and not request.paradigm.by_operator:
        raise Refused(Message("schedule.foreign_cues", kind=kind))
    if request.kind != "sham":
        return request
    moves = _repeated(request, plan) if request.yoked_to else _drawn(request, plan)
    return replace(request, moves=moves)


def _drawn(request: RunRequest, plan: SessionPlan) -> tuple[tuple[Move, ...], ...]:
    paradigm = request.paradigm
    if paradigm.decided_after_s is not None:
        delay_s = (paradigm.decided_after_s,) * 2
        hold_s, share = (plan.law.trigger_s,) * 2, SHAM_SHARE_CUED
    else:
        window_s = float(paradigm.params()[paradigm.hit_window])
        attempt_s = next(cue.duration_s for cue in request.schedule if cue.label in paradigm.conditions)
        delay_s = (min(SHORTEST_DELAY_S, window_s), window_s)
        hold_s, share = (0.5 * attempt_s, attempt_s), SHAM_SHARE
    return control.draw_moves(request.n_trials, seed=request.seed, share=share, delay_s=delay_s, hold_s=hold_s)


def _repeated(request: RunRequest, plan: SessionPlan) -> tuple[tuple[Move, ...], ...]:
    """The moves of another run of the study."""
    file = RunFile(Path(plan.study_folder) / "recordings" / f"{request.yoked_to}.xdf")
    moves = control.moves_of([trial.cue_stamp for trial in file.trials()], file.commands())
    if len(moves) < request.n_trials:
        raise Refused(Message("schedule.too_few", run=request.yoked_to, got=len(moves), wanted=request.n_trials))
    return moves[: request.n_trials]


class ScheduledMoves:
    """What the schedule of a run asks of the effector, as its cues come.

    Parameters
    ----------
    request : of the run. plan : of its session.
    """

    def __init__(self, request: RunRequest, plan: SessionPlan) -> None:
        self._request, self._schedule, self._law = request, MoveSchedule(), plan.law
        self._full = 1.0 if plan.effector is None else control.load(plan.effector).level
        paradigm: Paradigm = request.paradigm
        # As online: a cue that never closes the effector by the law does not close it by the schedule either.
        closing = paradigm.conditions if paradigm.by_operator else plan.law.conditions or paradigm.conditions
        self._closing = paradigm.conditions if request.kind == "sham" else closing

    def take(self, marker: Marker) -> None:
        """An event of the run took effect: a cue begins its moves, a pause ends all."""
        if marker.kind == "pause":
            self._schedule.clear()
        if marker.kind != "cue" or marker.label not in self._closing:
            return
        if self._request.kind == "sham":
            drawn = self._request.moves[int(marker.detail["trial"])]
            moves = tuple(replace(move, level=move.level or self._level(marker.label)) for move in drawn)
        else:
            level = self._request.paradigm.level_of(marker.label) or self._level(marker.label)
            moves = (Move(0.0, float(marker.detail["duration_s"]), level),)
        self._schedule.begin(moves, stamp=marker.stamp)

    def _level(self, label: str) -> tuple[float, ...] | None:
        """Level of each channel by the pattern of a condition, None where the law has none.

        A sham moves after every cue: one whose condition has no pattern moves by the first.
        """
        if not self._law.patterns:
            return None
        shares = self._law.pattern(label) or self._law.patterns[0][1]
        return tuple(self._full * share for share in shares)

    def due(self, stamp: float) -> list[Step]:
        """What is asked up to ``stamp`` (stream time, s), each once."""
        return self._schedule.due(stamp)
