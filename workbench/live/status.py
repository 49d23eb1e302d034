"""What the engine reports to its clients, as one JSON-able mapping. Screens only show it.

Times are s, ``age_s`` counts real seconds (stream time divided by the speed), every text is plain. A sentence of
the engine is a :class:`~workbench.messages.Message`; in JSON its code and arguments stand beside it as ``said``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from workbench.control import EffectorStatus
from workbench.vocabulary import EvidenceKind, RunKind

EngineState = Literal["none", "starting", "compiling", "connecting", "idle", "running", "stopping", "failed"]
RunEnd = Literal["finished", "stopped", "failed"]
"""How a run ended; stored with its recording."""
RunState = Literal["compiling", "running", "paused", "finished", "stopped", "failed"]
"""State of a run, on the wire and in the record."""
StreamState = Literal["good", "check", "lost", "waived", "missing"]
"""State of a stream; ``check`` is for screens alone."""
AlarmPriority = Literal["high", "medium", "low"]
"""How soon a person must look."""
PresenceState = Literal["present", "absent", "nobody_yet", "script"]
QualityState = Literal["good", "check", "bad"]


class EngineStatus(TypedDict):
    """The process.

    ``age_s`` : s since the loop wrote this status; it grows while the loop stands still. ``lost`` : thread → why,
    for each thread that ended or stands still. ``supervised``, ``unsupervised`` : names of threads. ``arming`` :
    nonce for the next grant. ``kernels_left`` : how many kernels are still to be compiled for this computer.
    """

    pid: int
    started: str
    state: EngineState
    log: str
    sentence: str
    transport: str
    heavy_modules: list[str]
    threads: int
    arming: str
    age_s: float
    lost: Mapping[str, str]
    supervised: list[str]
    unsupervised: list[str]
    disk_free_mb: float
    seq: int
    kernels_left: int


class _SessionStatus(TypedDict):
    id: str
    study: str
    participant: str
    visit: str
    session: str
    operator: str
    simulated: bool
    speed: float
    effector_simulated: bool


class SessionStatus(_SessionStatus, total=False):
    """The session; an engine adds what not every version knew.

    ``replayed``: whether its signal is; ``stopped``: reason of a latched STOP or ``""``; ``consent_missing``:
    whether somebody is connected whose consent the record does not hold.
    """

    replayed: bool
    stopped: str
    consent_missing: bool


class _StreamStatus(TypedDict):
    """One stream of the contract; rates in Hz, offsets and jitter in ms."""

    name: str
    type: str
    role: str
    fs: float
    measured_fs: float | None
    n_channels: int
    unit: str
    unit_announced: str
    unit_source: str
    jitter_ms: dict[str, float] | None
    faults: list[str]
    critical: bool
    state: StreamState
    age_s: float | None
    message: str
    offset_ms: float | None
    uncertainty_ms: float | None


class StreamStatus(_StreamStatus, total=False):
    """One stream; an engine adds the light of its channels, None of a stream that is not decoded."""

    quality: str | None


class ChannelStatus(TypedDict):
    """Signal quality of one channel."""

    name: str
    state: str
    code: str
    rms_uv: float
    line_ratio: float


class QualityStatus(TypedDict):
    """Signal quality of the montage."""

    state: str
    channels: list[ChannelStatus]


class NextCue(TypedDict):
    """The cue that comes next, and stream time until it, s."""

    label: str
    in_s: float


class CueStatus(TypedDict):
    """The cue that is presented; ``trial`` is -1 for rest."""

    label: str
    trial: int
    elapsed_s: float
    duration_s: float
    next: NextCue | None


class TrialStatus(TypedDict):
    """One trial of the run; ``decided`` is ``""`` where nothing was."""

    index: int
    condition: str
    outcome: str
    decided: str


class AdaptationStatus(TypedDict):
    """How the decoder adapts.

    ``rule`` is empty where it stays as it was fitted; ``age_s`` of the last update is None before the first and
    after the run; ``rolled_back`` counts updates that went back to the fit; ``ended`` says that there will be none
    any more in this run; ``head`` is the hash of the last
    update, of the decoder before the first.
    """

    rule: str
    updates: int
    age_s: float | None
    rolled_back: int
    ended: bool
    head: str


class DeadlineStatus(TypedDict):
    """Hops that took over 75 % and over 100 % of their time."""

    warnings: int
    overruns: int


class RunStatus(TypedDict):
    """The run under way, or the last one; ``elapsed_s`` and ``left_s`` are stream time."""

    id: str
    number: int
    kind: RunKind
    paradigm: str
    state: RunState
    trials_done: int
    trials_total: int
    elapsed_s: float
    left_s: float | None
    left_real_s: float | None
    cue: CueStatus | None
    trials: list[TrialStatus]
    recording: str
    sentence: str
    adapting: AdaptationStatus
    deadline: DeadlineStatus
    task: TaskStatus | None
    setting: SettingStatus | None


class TaskStatus(TypedDict):
    """What a task shows: where its cursor and its targets are, in distances from the centre to a target.

    ``radius`` : of a target, in the same unit.
    """

    position: list[float]
    targets: dict[str, list[float]]
    radius: float


class SettingStatus(TypedDict):
    """The setting of a mapping run that is next, or awaits its reaction; ``level`` in fractions 0–1."""

    label: str
    level: list[float]
    awaits_reaction: bool


class WindowStatus(TypedDict):
    """Phases 0–1 between which the control law lets an intent through; the one window of a law has no name."""

    name: str
    begin: float
    end: float


class EvidenceStatus(TypedDict):
    """The decoder's newest evidence.

    ``dwell`` : hops in a row that count towards the next change, out of ``dwell_needed``: above ``activate``, or
    while ``active`` below ``release`` or unlike the training data (``rejected``); without thresholds, hops for
    which a target is held. Both 0 where each cue is decided once.
    ``p`` : probability of ``target``; of a velocity, which has no target, its size, 0–1; of a phase the phase.
    ``history`` : time before now in s and ``p``, None where a phase was not known. ``values``, ``position`` : of
    the newest decision, in the unit of its kind; without such values the probabilities of ``classes``. ``sure`` :
    probability below which a cue is left undecided, None where no cue is. ``windows`` : of the law. ``agreed`` :
    by role whether each stream agreed, the signal among them; empty where none can hold back another.
    """

    classes: list[str]
    target: str
    p: float
    activate: float | None
    release: float | None
    dwell: int
    active: bool
    dwell_needed: int
    valid: bool
    rejected: bool
    history: list[list[float | None]]
    kind: EvidenceKind
    values: list[float]
    sure: float | None
    position: list[float]
    windows: list[WindowStatus]
    agreed: dict[str, bool]


class DecoderStatus(TypedDict):
    """The decoder of the run."""

    sha256: str
    name: str
    approved: bool


class LatencyStatus(TypedDict):
    """Acquire → decide → emit of the run in ms; ``representative`` is False where the speed is not 1."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    n: int
    representative: bool


class Acknowledged(TypedDict):
    """Who acknowledged an alarm, and how long ago, s."""

    by: str
    age_s: float


class AlarmStatus(TypedDict):
    """One alarm. It leaves the list when it is ``cleared`` (its cause has gone) and acknowledged.

    ``key`` names its kind; ``earlier`` : of an engine before.
    """

    id: str
    key: str
    priority: AlarmPriority
    what: str
    means: str
    do: str
    raised_s: float
    cleared: bool
    earlier: bool
    acknowledged: Acknowledged | None


class PresenceStatus(TypedDict):
    """Whether somebody is there.

    ``challenge`` for the page, ``age_s`` of the last answer, ``limit_s`` until the effector is released, ``pages``
    that answered within 2 s. ``missing`` : who has to be there at home and has not said so, or too long ago.
    """

    state: PresenceState
    challenge: str
    age_s: float | None
    limit_s: float
    pages: int
    missing: list[str]


class LedgerStatus(TypedDict):
    """A row of the ledger, see ``vocabulary.LedgerRow``; ``clock`` is "HH:MM:SS"."""

    kind: str
    stamp: float
    local: float
    sample: int
    stream: str
    extent: str
    consequence: str
    priority: str
    clock: str


class Status(TypedDict):
    """The whole status.

    ``ledger`` : newest first, at most 50 of ``ledger_total`` rows. ``alarms`` : STOP first, then open before
    cleared.
    """

    engine: EngineStatus
    session: SessionStatus
    streams: list[StreamStatus]
    quality: QualityStatus
    run: RunStatus | None
    evidence: EvidenceStatus | None
    decoder: DecoderStatus | None
    effector: EffectorStatus | None
    latency: LatencyStatus
    ledger: list[LedgerStatus]
    ledger_total: int
    alarms: list[AlarmStatus]
    presence: PresenceStatus


class LostThreads(TypedDict):
    """Thread → why it is lost."""

    lost: Mapping[str, str]


class NewestStatus(TypedDict):
    """The parts of a status that need no loop, for one that stands still."""

    engine: LostThreads
    alarms: list[AlarmStatus]


BLANK_STATUS: Status = {
    "engine": {
        "pid": 0,
        "started": "",
        "state": "none",
        "log": "",
        "sentence": "",
        "transport": "",
        "heavy_modules": [],
        "threads": 0,
        "arming": "",
        "age_s": 0.0,
        "lost": {},
        "supervised": [],
        "unsupervised": [],
        "disk_free_mb": 0.0,
        "seq": 0,
        "kernels_left": 0,
    },
    "session": {
        "id": "",
        "study": "",
        "participant": "",
        "visit": "",
        "session": "",
        "operator": "",
        "simulated": False,
        "speed": 1.0,
        "effector_simulated": False,
    },
    "streams": [],
    "quality": {"state": "check", "channels": []},
    "run": None,
    "evidence": None,
    "decoder": None,
    "effector": None,
    "latency": {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None, "n": 0, "representative": True},
    "ledger": [],
    "ledger_total": 0,
    "alarms": [],
    "presence": {
        "state": "nobody_yet",
        "challenge": "",
        "age_s": None,
        "limit_s": 20.0,
        "pages": 0,
        "missing": [],
    },
}
"""A status of no engine."""


def blank() -> Status:
    """A status of no engine, to be filled."""
    return cast("Status", _copied(BLANK_STATUS))


def _copied(value: Any) -> Any:
    """Deep, because the caller fills the nested parts; ``copy.deepcopy`` would take longer than all the rest."""
    if isinstance(value, dict):
        # Most parts are plain, and cost no call.
        return {name: _copied(part) if type(part) in (dict, list) else part for name, part in value.items()}
    return list(value) if isinstance(value, list) else value
