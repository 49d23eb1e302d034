"""A session inside the engine, composed of its parts; see :mod:`workbench.engine` for who owns what.

Everything here runs on the engine's loop, except where a part says otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from workbench import world
from workbench.engine.connections import Connections, DuplicateWatch
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.failures import FailureResponse
from workbench.engine.grants import GrantGate
from workbench.engine.inlets import Inlets
from workbench.engine.intake import Intake
from workbench.engine.ledger import Ledger
from workbench.engine.outlets import Outlets
from workbench.engine.players import Players
from workbench.engine.presence import Presence
from workbench.engine.run_control import RunControl
from workbench.engine.signal_monitor import SignalMonitor
from workbench.engine.stop_latch import StopLatch
from workbench.engine.streams import Streams
from workbench.errors import WorkbenchError
from workbench.live._engine_folder import EngineFolder
from workbench.live.plan import SessionPlan
from workbench.messages import Message
from workbench.recording.session_ledger import SUFFIX

LOG = logging.getLogger("workbench.engine")


class Session:
    """One session from its plan.

    Parameters
    ----------
    engine_folder : where its own files are.
    plan : see :class:`SessionPlan`.
    spawn : starts threads; the engine hands in its supervisor.
    """

    def __init__(
        self, engine_folder: EngineFolder, plan: SessionPlan, *, spawn: world.Spawn = world.start_thread
    ) -> None:
        self.engine_folder, self.plan, self.spawn = engine_folder, plan, spawn
        self.ledger = Ledger()
        self.grants = GrantGate(plan)
        self.presence = Presence(limit_s=plan.absence_s, script=plan.script_present, home=plan.home)
        self.inlets = Inlets(spawn)
        self.streams = streams = Streams(plan.contract, signal=plan.signal.name)
        self.events = events = EventLog(
            self.ledger, streams, between_runs=engine_folder.recordings / f"{plan.session_id}{SUFFIX}"
        )
        self.outlets = Outlets(plan, streams)
        self.effector = effector = SessionEffector(
            plan, streams=streams, outlets=self.outlets, events=events, spawn=spawn
        )
        self.players = Players(plan, engine_folder, events=events)
        self.connections = Connections(plan, streams=streams, inlets=self.inlets, events=events, effector=effector)
        self.duplicates = DuplicateWatch(streams, events)
        self.monitor = SignalMonitor(streams, events=events)
        self.runs = RunControl(plan, streams=streams, events=events, outlets=self.outlets, effector=effector)
        self.stop_latch = StopLatch(events=events, effector=effector, runs=self.runs)
        self.failures = FailureResponse(events=events, effector=effector, spawn=spawn)
        self.intake = Intake(
            streams=streams,
            events=events,
            runs=self.runs,
            monitor=self.monitor,
            connections=self.connections,
            marker_cues=plan.cue_source == "stream",
        )

    def connect(self) -> None:
        """Start the players, find the streams, open the outlets, start the effector.

        Raises
        ------
        StreamFault, BadValue, EngineFault
            What is missing, doubled or wrong, or which player did not start.
        """
        if self.plan.consent_missing:
            self.events.enter(
                "consent",
                extent=Message("engine.consent_missing", participant=self.plan.participant),
                consequence=Message("engine.consent_elsewhere"),
                priority="medium",
            )
        for stream, waiver in self.plan.waived_checks:
            self.events.enter(
                "waiver",
                stream=stream,
                extent=Message("engine.check_waived", check=waiver["text"], why=waiver["reason"]),
                consequence=Message("engine.waived_by", who=waiver["by"]),
                priority="low",
            )
        self.outlets.open("cues", {})
        self.effector.pair()
        self.players.start_sources()
        self.connections.resolve()
        signal = self.streams.signal
        self.monitor.open(self.engine_folder.display, mains_hz=self.plan.mains_hz)
        self.outlets.open("decisions", {"speed": signal.speed, "t0": signal.t0})
        self.effector.connect()
        self.players.start_effectors(self.effector.pairing)

    def close(self) -> None:
        """End of the session: effector, inlets, players, outlets, display; what fails is logged and skips none."""
        steps: list[Callable[[], object]] = [
            # First, while its outlets and its device still run: afterwards nobody could release it.
            self.effector.disconnect,
            self.inlets.close,
            *self.players.stops(),
            self.effector.end_device,
            self.effector.close,
            *self.outlets.closes(),
            self.monitor.close,
        ]
        for step in steps:
            try:
                step()
            except (WorkbenchError, OSError) as error:
                LOG.error("while the session is closed: %s", error)
