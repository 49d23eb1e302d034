"""The players of a session: processes that simulate or replay a device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from workbench import devices
from workbench.devices._pairing import Pairing
from workbench.engine.events import EventLog
from workbench.errors import BadValue
from workbench.live._engine_folder import EngineFolder
from workbench.live.plan import SessionPlan
from workbench.messages import Message

LOG = logging.getLogger("workbench.engine")


class Players:
    """Starts the players that a plan names, reports one that ended unasked, stops them.

    Parameters
    ----------
    plan : of the session.
    engine_folder : takes their logs.
    events : where an end is entered.
    """

    def __init__(self, plan: SessionPlan, engine_folder: EngineFolder, *, events: EventLog) -> None:
        self._plan, self._engine_folder, self._events = plan, engine_folder, events
        self._running: list[devices.Player] = []

    def start_sources(self) -> None:
        """Start every player that is not an effector; each that can begins with the first."""
        began: dict[str, Any] = {}
        for player in self._plan.players:
            if _is_effector(player):
                continue
            # At any speed but 1 a later beginning would put the streams of one person at different times.
            follows = "t0" in devices.load(str(player["device"])).options
            started = self._start(player, **(began if follows else {}))
            if not began and "t0" in started.info:
                began = {"t0": started.info["t0"]}

    def start_effectors(self, pairing: Pairing | None) -> None:
        """Start simulated effectors as processes that outlive the engine, or find one that does already."""
        for player in self._plan.players:
            if _is_effector(player):
                self._start_effector(player, pairing)

    def _start_effector(self, player: Mapping[str, Any], pairing: Pairing | None) -> None:
        if pairing is None:
            raise BadValue(Message("engine.player_is_effector", player=str(player["device"])))
        running = devices.running_device(pairing)
        if running is None:
            self._start(player, owned=False, pairing=str(pairing.path))
            return
        LOG.info("the effector of this study runs already as process %d; it is taken up again", running)
        self._events.enter(
            "effector_found",
            stream=str(player["device"]),
            extent=Message("engine.process_of_earlier", n=running),
            consequence=Message("engine.taken_up_again"),
        )

    def _start(self, player: Mapping[str, Any], *, owned: bool = True, **more: Any) -> devices.Player:
        name = str(player["device"])
        options = player_options(self._plan, player) | more
        log = self._engine_folder.path / f"player-{len(self._running) + 1}-{name}.log"
        self._running.append(devices.start(name, options, log=log, owned=owned))
        LOG.info("player %s started as process %d", name, self._running[-1].pid)
        return self._running[-1]

    def watch(self) -> None:
        """A row and an alarm for each player that ended unasked."""
        ledger = self._events.ledger
        for player in self._running:
            cause = f"player:{player.pid}"
            if player.alive() or cause in ledger.alarms:
                continue
            self._events.enter(
                "player_ended", stream=player.device, extent=Message("engine.process", n=player.pid),
                consequence=Message("engine.streams_gone"), priority="high",
            )  # fmt: skip
            LOG.error("player %s (process %d) ended; its log: %s", player.device, player.pid, player.log)
            ledger.alarms.raise_alarm(
                cause,
                key="player_ended",
                priority="high",
                what=Message("alarm.player_ended", player=player.device),
                means=Message("alarm.player_ended_means"),
                do=Message("alarm.player_ended_do"),
            )

    def stops(self) -> list[Callable[[], object]]:
        """One call for each that stops it, so that one that fails keeps none of the others running."""
        return [partial(devices.stop, player) for player in self._running]


def _is_effector(player: Mapping[str, Any]) -> bool:
    """Whether a player answers commands."""
    return "pairing" in devices.load(str(player["device"])).options


_OWN = {"cue_source_id": "cues", "decision_source_id": "decisions"}
"""Options of players that name a stream of the session."""


def player_options(plan: SessionPlan, player: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a player: what it states, and the session's own stream ids, speed and seed where it does not.

    Raises
    ------
    UnknownName
        When there is no such device.

    Notes
    -----
    A participant that feels a stimulator reads its signed statuses: the pairing of the session's effector and its
    programme are among its options where that stimulates.
    """
    known = devices.load(str(player["device"])).options
    usual: dict[str, Any] = {"speed": plan.speed, "seed": plan.seed}
    usual |= {option: plan.source_id(purpose) for option, purpose in _OWN.items()}
    if "stimulator" in known:
        usual |= _felt(plan)
    stated = dict(player.get("options", {}))
    return {name: value for name, value in usual.items() if name in known} | stated


def _felt(plan: SessionPlan) -> dict[str, Any]:
    """Pairing and programme of the session's stimulator; nothing where none stimulates."""
    if plan.effector is None or plan.stimulation is None:
        return {}
    return {
        "stimulator": str(devices.pairing(plan.study_folder, plan.effector).path),
        "effector": plan.effector,
        "programme": [asdict(channel) for channel in plan.stimulation.programme.channels],
    }
