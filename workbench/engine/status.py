"""The status text that clients get: composed on the engine's loop, handed out by the server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TypedDict

from workbench import world
from workbench.control import EffectorStatus
from workbench.devices import lsl
from workbench.engine.session import Session
from workbench.live.status import EngineState, QualityStatus, Status, blank
from workbench.signals.quality import ChannelQuality, montage_state

HEAVY = (
    "sklearn",
    "mne",
    "pandas",
    "plotly",
    "pyriemann",
    "scipy.signal",
    "scipy.linalg",
    "sqlalchemy",
    "matplotlib",
)
"""Libraries that are never imported in the engine's process."""


class ProcessStatus(TypedDict):
    """What the process says of itself; see ``live.status.EngineStatus``."""

    state: EngineState
    started: str
    seq: int
    kernels_left: int
    transport: str
    disk_free_mb: float
    lost: Mapping[str, str]
    supervised: list[str]
    unsupervised: list[str]


def compose(session: Session, *, process: ProcessStatus, effector: EffectorStatus | None) -> Status:
    """The status of a session.

    Parameters
    ----------
    session : whose status it is.
    process : fills the engine's part.
    effector : what the alarms were judged by, so that no fault is shown before its alarm; None without one.
    """
    plan, run, now = session.plan, session.runs.run, lsl.local_clock()
    status = blank()
    status["engine"] = {
        **status["engine"],
        "pid": world.computer.pid(),
        "log": "engine/engine.log",
        "heavy_modules": [name for name in HEAVY if name in sys.modules],
        "threads": len(world.clock.threads()),
        "arming": session.grants.nonce,
        **process,
    }
    status["session"] |= {
        "id": plan.session_id,
        "study": plan.study,
        "participant": plan.participant,
        "visit": plan.visit,
        "session": plan.session_id[:8],
        "operator": plan.operator,
        "simulated": plan.simulated,
        "replayed": session.streams.signal.replayed,
        "speed": plan.speed,
        "effector_simulated": plan.effector is not None and plan.effector_simulated,
        "stopped": session.stop_latch.reason,
        "consent_missing": plan.consent_missing,
    }
    status["streams"] = [
        {**stream.status(now), "quality": session.monitor.light(name)} for name, stream in session.streams.items()
    ]
    status["quality"] = _quality(session.monitor.quality)
    if run is not None:
        status["run"] = run.status()
        status["evidence"] = run.evidence()
        status["latency"] = run.latency.status()
        if run.request.decoder is not None:
            status["decoder"] = {
                "sha256": run.request.decoder_sha256,
                "name": run.request.decoder_name,
                "approved": run.request.approved,
            }
    if effector is not None:
        status["effector"] = effector
    status["presence"] = session.presence.status()
    status["ledger"] = session.ledger.shown()
    status["ledger_total"] = session.ledger.total
    status["alarms"] = session.ledger.alarms.shown()
    return status


def _quality(channels: Sequence[ChannelQuality]) -> QualityStatus:
    return {
        "state": montage_state(channels),
        "channels": [
            {
                "name": c.name,
                "state": c.state,
                "code": c.code,
                "rms_uv": round(c.rms_uv, 2),
                "line_ratio": round(c.line_ratio, 3),
            }
            for c in channels
        ],
    }
