"""The nouns. Frozen, on one page, without arithmetic; every room speaks in them.

Signal
    Montage · Chunk · Marker · LocatedCue · EvidenceType · Evidence · Decision · Snapshot · Command ·
    Acknowledgement · DeviceStatus · Trial · LedgerRow
Record
    Study ▸ Participant ▸ Visit ▸ Session ▸ Run ▸ Trial, Visit ▸ Assessment, Recording, FittedDecoder, Report,
    Entry (one row of the audit chain)

Units: float64, µV, s, Hz. A :class:`Chunk` is ``(n_times, n_channels)`` as LSL delivers it; an epoch is
``(n_channels, n_times)``, a stack of epochs ``(n_epochs, n_channels, n_times)``.

Two times: *stamp* is LSL time in s (corrected by the measured clock offset), *local* is ``local_clock()`` of this
computer when the thing was received or made. Decisions depend on samples, stamps and events, never on local time.

Between rooms that do not know each other
    Worker (who computes the updates of a decoder beside its stream) · LiveClient (what a screen asks of the
    engine) · MeasureDefinition (what a form asks of an outcome measure)

Homonyms (trial, epoch, arm, baseline, event, subject, score, model, control, response): docs/glossary.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def contents(noun: object) -> dict[str, Any]:
    """Name and value of each field of a noun, for what is written at once: the values are no copies."""
    kind = type(noun)
    names, values = _FIELDS.get(kind) or _FIELDS.setdefault(kind, _fields(cast("Any", kind)))
    return dict(zip(names, values(noun)))


def _fields(kind: type[Any]) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """Names of the fields of a class of nouns, and what gives their values."""
    names = tuple(one.name for one in fields(kind))
    # Of a single name `attrgetter` gives the value itself.
    if len(names) < 2:
        return names, lambda noun: tuple(getattr(noun, name) for name in names)
    return names, attrgetter(*names)


_FIELDS: dict[type[object], tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]] = {}

Priority = Literal["high", "medium", "low", "info"]
"""How soon a person must look; alarms have the first three."""

# Closed sets of texts. Each is stored as it is spelled here.
RunKind = Literal["calibration", "online", "passive", "open_loop", "sham", "mapping"]
"""What a run is for; only the decisions of an online run move the effector. See docs/glossary.md, *procedure*."""
RunState = Literal["finished", "stopped", "recovered", "failed"]
RecordingState = Literal[
    "finished", "stopped", "failed", "recovered", "unfinished", "foreign", "recording", "damaged"
]
EvidenceKind = Literal["probabilities", "state_level", "velocity", "force", "amplitude", "phase"]
TrialOutcome = Literal["correct", "missed", "wrong", "recorded", "excluded"]
Side = Literal["", "left", "right"]
VisitStatus = Literal["", "planned", "done", "missed", "unscheduled", "not_applicable"]
PersonState = Literal["active", "closed"]
HomeRole = Literal["caregiver", "participant", "site"]
"""Who may be at a device that is used at home; ``site``: somebody of the study who signed in."""
ConsentPurpose = Literal["participation", "neural_data_use", "data_sharing", "decoder_training", "upload"]
EnrolmentStatus = Literal["screening", "enrolled", "screen_failure", "completed", "withdrawn", "lost"]
FormState = Literal["draft", "complete"]
ConsentGiver = Literal["participant", "representative"]
TreatmentKind = Literal["drug", "procedure", "rehabilitation", "device"]
Ongoing = Literal["yes", "no", "unknown"]
DeviationCategory = Literal[
    "visit_window", "visit_missed", "rater", "decoder", "limit", "consent", "eligibility", "procedure",
    "reporting", "other",
]  # fmt: skip
LockLevel = Literal["freeze", "soft", "hard"]
FittingStep = Literal[
    "equipment_preparation", "electrode_placement", "acquisition", "algorithm_debugging", "function_verification",
    "data_analysis", "system_optimisation", "data_upload",
]  # fmt: skip
"""The eight steps of the price item for the fitting of a non-invasive interface; see docs/fitting.md."""
FittingState = Literal["draft", "complete"]
FunctionTest = Literal["", "passed", "failed"]
Payer = Literal["research_fund", "self", "insurance"]
PriceItemKind = Literal["implant", "removal", "fitting"]
PriceRuleKind = Literal["not_with", "data_reduction", "professional_only"]
EvidenceStage = Literal["dossier_approval", "coding", "reimbursement"]
EventOutcome = Literal["unknown", "ongoing", "recovering", "recovered", "recovered_with_sequelae", "fatal"]
EventState = Literal["open", "closed", "void"]
"""``"void"``: entered in error; the row and its obligations stay."""
DatePrecision = Literal["unknown", "year", "month", "day", "minute"]
ObligationAction = Literal["sent", "retracted", "acknowledged", "told", "seen", "extension"]
FindingKind = Literal["imaging", "infection", "impedance", "wound", "lead"]
ApprovalDecision = Literal["approve", "reject", "withdraw"]
SignatureMethod = Literal["password", "script", "lifted"]
ApprovalMethod = Literal["password", "script", "lifted", "home rule"]
AssessmentState = Literal["draft", "incomplete", "complete"]
Blinding = Literal["yes", "no", "unknown"]
Guesser = Literal["participant", "assessor", "therapist", "operator", "investigator"]
"""Who guesses which arm a participant is in."""
Certainty = Literal["", "somewhat", "strongly"]
"""How firmly a guess is held; ``""`` where there is none."""
AcknowledgementStatus = Literal["ok", "clipped", "refused", "timeout"]
ReportPart = Literal["rates", "decoder", "trials", "latency", "assessments"]
"""What a system may leave out of the report of its sessions."""
DeviceState = Literal["safe", "following", "holding", "venting", "stopped"]


@dataclass(frozen=True, slots=True)
class Montage:
    """The channels a decoder was fitted on, in stream order; kind ecog, eeg, emg or imu; ``fs`` in Hz."""

    channels: tuple[str, ...]
    fs: float
    kind: str = "eeg"
    unit: str = "uV"


@dataclass(frozen=True, slots=True)
class RecalibrationRule:
    """Within what bounds a decoder is made anew at home, as the protocol has it; outside of them the site decides.

    Attributes
    ----------
    cues : that a recalibration records.
    after_days : since the decoder in use was decided on, d; from then on one is offered.
    alone_days : since the site approved a decoder last, d; up to then the home goes on by itself.
    most_in_a_row : recalibrations that were decided on without the site in between, used or not.
    least_accuracy : of held-out cued periods of the new decoder, fraction 0–1.
    most_worse : by which its accuracy may lie below that of the decoder in use on the same periods, fraction 0–1.
    """

    cues: int
    after_days: int
    alone_days: int
    most_in_a_row: int
    least_accuracy: float
    most_worse: float


@dataclass(frozen=True, slots=True)
class HomeRule:
    """Under what an effector is used at home, as the protocol of the study has it.

    Attributes
    ----------
    present : each of whom says that they are there before anything is armed.
    reset : who may reset a STOP; never the participant, whose switch may click by itself.
    present_min : for how long such a statement holds, min.
    day_min : longest use of a day, min.
    skin_min : longest time between two looks at the skin, min.
    call, emergency : whom to call, and the number of the emergency service.
    release : how somebody takes a device off that does not answer.
    call_zh, release_zh : the same in Chinese, as the site words it; empty where the protocol has none, and then
        ``call`` and ``release`` stand in every language.
    recalibration : bounds of a new decoder that is made at home; None where the site makes every one.
    """

    present: tuple[HomeRole, ...]
    reset: tuple[HomeRole, ...]
    present_min: float
    day_min: float
    skin_min: float
    call: str
    emergency: str
    release: str
    call_zh: str = ""
    release_zh: str = ""
    recalibration: RecalibrationRule | None = None

    def __post_init__(self) -> None:
        # A rule that is read from JSON has lists and tables.
        object.__setattr__(self, "present", tuple(self.present))
        object.__setattr__(self, "reset", tuple(self.reset))
        if isinstance(self.recalibration, Mapping):
            object.__setattr__(self, "recalibration", RecalibrationRule(**self.recalibration))

    @property
    def sha256(self) -> str:
        """By which a grant, and a decision that was made under the rule, name it."""
        stated = asdict(self)
        # A rule without such bounds has the hash that it had before there were any.
        if self.recalibration is None:
            del stated["recalibration"]
        return hashlib.sha256(json.dumps(stated, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One line of the stream contract: what a session expects to find on LSL.

    Attributes
    ----------
    name, type, source_id : as the outlet announces them; ``source_id=""`` accepts any.
    fs : nominal rate in Hz, 0 for an irregular (marker) stream.
    channels, unit : names in order, empty for a marker stream; the unit of every one.
    critical : a critical stream that is missing blocks the start, one that dies stops the effector.
    role : ``"signal"`` (the decoded stream whose samples count time), ``"aux"`` (recorded), ``"markers"``, or a
        name such as ``"emg"``: decoded beside the signal by decoders that name it among their inputs.
    counter : a channel that counts samples, or ``""``; it makes gaps exact and is only recorded.
    unmeasured : channels that are recorded and never decoded: triggers, movement, another unit.
    unit_declared_by : who vouches for ``unit`` where the stream announces none that is known, or ``""``.
    unit_waived : why nobody does; then the stream is recorded only, not decoded, and arms nothing.
    gap_tolerance_s : a stamp that differs by less from what is expected is jitter in any case, s.
    jitter_s : longest lateness that may still be jitter, s; what exceeds the tolerance for as long is a loss.
    delay_s : how much later it stamps one moment than the signal does, s; of streams decoded beside the signal.
    """

    name: str
    type: str
    fs: float
    channels: tuple[str, ...] = ()
    unit: str = "uV"
    source_id: str = ""
    critical: bool = True
    role: str = "signal"
    counter: str = ""
    unmeasured: tuple[str, ...] = ()
    unit_declared_by: str = ""
    unit_waived: str = ""
    gap_tolerance_s: float = 0.02
    jitter_s: float = 1.0
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        # A contract read from JSON has lists; as tuples, equal contracts are equal and can be hashed.
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "unmeasured", tuple(self.unmeasured))

    @property
    def decoded_beside(self) -> bool:
        """Whether decoders that name its role decode it beside the signal."""
        return self.role not in ("signal", "aux", "markers")

    @property
    def measured(self) -> tuple[str, ...]:
        """The channels that are decoded: all but the counter and those that are only recorded."""
        aside = {self.counter, *self.unmeasured}
        return tuple(name for name in self.channels if name not in aside)

    @property
    def without(self) -> tuple[int, ...]:
        """Places of the channels that are recorded and not decoded."""
        # Once, and as a set: it is asked for with every arrival, of hundreds of channels too.
        measured = frozenset(self.measured)
        return tuple(i for i, name in enumerate(self.channels) if name not in measured)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples as they arrived: ``samples`` ``(n_times, n_channels)`` float64, µV.

    ``first`` is the index of the first row in the run's recording, ``stamps`` ``(n_times,)`` float64 the
    corrected LSL time of each row in s, ``local`` the ``local_clock()`` of its receipt (0 in a replay). Of a
    stream that is decoded beside the signal, ``stream`` is its role, ``first`` counts its own samples, and
    ``stamps`` are corrected by its declared delay too.
    """

    first: int
    samples: FloatArray
    stamps: FloatArray
    local: float = 0.0
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """A recorded event: something that happened, and the sample at which it took effect.

    Attributes
    ----------
    kind : ``"cue"`` (label = condition), ``"gap"``, ``"clock_offset"``, ``"pause"``, ``"resume"``, ``"end"``,
        ``"note"``; others are kept and ignored by the decode loop. ``"hop_timeout"``: samples up to ``until`` were
        decided with what the other streams had delivered; ``"stream_offset"``: clock offset of another stream.
    sample : number of samples of the decoded stream that had been delivered when it took effect.
    stamp : corrected LSL time in s of the cue's onset, to which epochs align; not always that of ``sample``.
    label : condition name for a cue; role of the stream for the gap of another stream.
    detail : JSON-able extras.
    """

    kind: str
    sample: int
    stamp: float
    label: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class LocatedCue(NamedTuple):
    """A cue placed on the sample axis: ``sample`` is the first sample at or after its stamp."""

    sample: int
    stamp: float
    label: str
    duration_s: float
    trial: int


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """What the evidence of a decoder is; a recording states it once for all decisions of its run.

    Attributes
    ----------
    kind : ``"probabilities"`` of classes; ``"state_level"``, these and a level; ``"velocity"`` or ``"force"`` in
        named dimensions; ``"amplitude"``, one value; ``"phase"``, a phase 0–1 and a rate in Hz.
    names : of the values, in their order; empty for probabilities, which the classes name.
    unit : of the values.
    """

    kind: EvidenceKind = "probabilities"
    names: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        # From JSON a list; as a tuple, equal types are equal.
        object.__setattr__(self, "names", tuple(self.names))

    @property
    def has_classes(self) -> bool:
        """Whether there is a probability for each class."""
        return self.kind in ("probabilities", "state_level")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decoder says of the window that ends before sample ``end``.

    Attributes
    ----------
    end : exclusive end of the window, sample.
    probabilities : one for each class of ``classes_``; empty where the decoder's :class:`EvidenceType` has none.
    valid : False where the window is incomplete, at a gap, or with a substituted value.
    rejected : sound, yet no reason to act.
    far : gives the reason: the window is far from the training data.
    values : what its :class:`EvidenceType` names, in its unit; empty for probabilities alone.
    """

    end: int
    probabilities: tuple[float, ...] = ()
    valid: bool = True
    rejected: bool = False
    far: bool = False
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The paradigm's verdict at one sample.

    Attributes
    ----------
    sample : exclusive end of the window it rests on, or where a late marker took effect if that is later.
    stamp : corrected LSL time in s of the last sample of the window.
    label : decided condition, ``""`` when rejected or not valid.
    probabilities : evidence, order of ``classes_``.
    valid : copied from the evidence.
    change : ``""``, ``"activate"`` or ``"release"`` (asynchronous), ``"cued"`` (one per trial).
    trial : index of the trial it belongs to, -1 outside.
    kind : what the evidence is, see :class:`EvidenceType`.
    values : evidence beside probabilities, by the names and in the unit of its :class:`EvidenceType`.
    position : where the task's cursor is after it, in the dimensions of a velocity; empty without a cursor.
    """

    sample: int
    stamp: float
    label: str
    probabilities: tuple[float, ...] = ()
    valid: bool = True
    change: str = ""
    trial: int = -1
    kind: EvidenceKind = "probabilities"
    values: tuple[float, ...] = ()
    position: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One update of a decoder while it decides, chained by hash; it is for windows that end after ``sample``.

    ``rule``: its name, ``"roll_back"`` where its bound was passed, or ``"ended"`` where its worker did not answer
    in time: the decoder stays as it is from there on. ``previous``: hash of the snapshot before, of the decoder
    for the first (empty when never saved). ``sha256``: over the other fields. ``arrays``: all that
    changed, float64; neither recorded nor compared, as the hash stands for their bits.
    """

    sample: int
    rule: str
    previous: str
    sha256: str
    # Not compared: `==` on arrays has no single truth, and the hash stands for their bits.
    arrays: Mapping[str, FloatArray] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """One cued attempt and what came of it.

    Attributes
    ----------
    index, condition : 0-based within the run; what was cued.
    cue_sample, cue_stamp, end_sample : onset of the cue; exclusive end of the trial.
    outcome : ``"correct"``, ``"missed"``, ``"wrong"``, ``"recorded"`` (no decoder, or a free choice) or
        ``"excluded"``.
    decided : decided condition or ``""``.
    onset_sample : sample of the decision that settled it, or None.
    latency_s, release_s : onset minus cue, and release minus end of the attempt, s of stream time, or None.
    held_s : how long the activation lasted inside the trial, s, or None.
    false_activations, false_in_rest : activations that are no hit, and those of them that lie in rest.
    rest_s : rest time in the trial, s (the exposure of ``false_in_rest``).
    excluded : the reason in words, or ``""``.
    result : what the task measures beside these, by name; numbers, texts and None, as JSON has them.
    """

    index: int
    condition: str
    cue_sample: int
    cue_stamp: float
    end_sample: int
    outcome: TrialOutcome
    decided: str = ""
    onset_sample: int | None = None
    latency_s: float | None = None
    release_s: float | None = None
    held_s: float | None = None
    false_activations: int = 0
    false_in_rest: int = 0
    rest_s: float = 0.0
    excluded: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of the data-integrity ledger.

    Attributes
    ----------
    kind : code such as ``"gap"``, ``"clock_jump"``, ``"stream_lost"``, ``"late_marker"``, ``"quality"``,
        ``"missed_deadline"``, ``"waiver"``, ``"operator"``, ``"disk"``, ``"command_refused"``, ``"roll_back"``,
        ``"adaptation_ended"``, ``"recalibrate"``.
    stamp, local : LSL time and local time in s.
    sample, stream : index in the decoded stream, -1 when none; name of the stream, or ``""``.
    extent : how much, with unit: ``"12 samples (6 ms)"``.
    consequence : what was done about it, one sentence.
    priority : one of :data:`Priority`; a text, because a recording may hold any.
    """

    kind: str
    stamp: float
    local: float
    sample: int = -1
    stream: str = ""
    extent: str = ""
    consequence: str = ""
    priority: str = "info"


@dataclass(frozen=True, slots=True)
class Command:
    """An order to an effector. Only ``control`` makes one.

    Attributes
    ----------
    seq : counts from 1.
    stamp, window_end : stream time in s of the decision behind it, and of the last sample behind that.
    sample : exclusive end of that window.
    device, profile : effector name and profile (``"glove"``).
    action : ``"close"``, ``"open"``, ``"hold"``, ``"release"``, ``"stop"`` (e-stop), ``"heartbeat"``.
    level : fraction 0–1 per channel, after the supervisor's clipping.
    ramp_ms, ttl_ms : ramp, and time to live after which the device goes to its safe state by itself.
    state : state of the controller that issued it.
    decoder_sha256 : decoder behind it, or ``""``.
    reason : one phrase.
    """

    seq: int
    stamp: float
    window_end: float
    sample: int
    device: str
    profile: str
    action: str
    level: tuple[float, ...]
    ramp_ms: int
    ttl_ms: int
    state: str
    decoder_sha256: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An effector's answer to the command ``seq``; times are LSL times in s.

    ``status``: ``"ok"``, ``"clipped"``, ``"refused"`` or ``"timeout"``; ``applied_level``: what it really did.
    """

    seq: int
    received: float
    effective: float
    status: AcknowledgementStatus
    applied_level: tuple[float, ...]
    code: str = ""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What an effector says of itself, signed.

    Attributes
    ----------
    counter : rises with every status of one device process.
    stamp : LSL time in s at which it was made.
    state : ``"safe"``, ``"following"``, ``"holding"``, ``"venting"`` or ``"stopped"``.
    level : what is really applied, fraction 0–1.
    locked : after a stop or a lapsed time to live: only a stop is followed until a new self-test.
    commanded : level last commanded when this status came, fraction 0–1.
    foreign : malformed, forged, replayed and out-of-session messages that the device has ignored.
    """

    counter: int
    stamp: float
    state: DeviceState
    level: float
    locked: bool
    commanded: float = 0.0
    foreign: int = 0

    @property
    def is_safe(self) -> bool:
        """Whether no pressure is applied and the safe state is complete."""
        return self.level == 0 and self.state in ("safe", "stopped")


@dataclass(frozen=True, slots=True)
class Participant:
    """A person, by pseudonym.

    Attributes
    ----------
    injury_level, ais : at entry.
    injured_on, consented_on : ISO dates, or ``""`` when not known.
    trained_side : ``"left"``, ``"right"`` or ``""``.
    wristband : code that confirms who is there; ``""`` = the pseudonym is the code.
    hold : why no session may start, ``""`` = not on hold.
    consent : version of the consent in force, or ``""``.
    """

    pseudonym: str
    id: str = ""
    simulated: bool = False
    injury_level: str = ""
    ais: str = ""
    injured_on: str = ""
    trained_side: Side = ""
    wristband: str = ""
    hold: str = ""
    consent: str = ""
    consented_on: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned or unplanned visit; its name is unique within the participant.

    Attributes
    ----------
    started : UTC, or the ISO date where the time of day is not known; ``""`` before it.
    planned : local ISO date, or date and time (``2026-11-21T09:00``), or ``""``.
    earliest, latest : its window, ISO dates that both belong to it, or ``""``.
    status : ``""`` (not stated), ``"planned"``, ``"done"``, ``"missed"``, ``"unscheduled"``, ``"not_applicable"``.
    room : where, or ``""``.
    """

    participant_id: str
    name: str
    id: str = ""
    started: str = ""
    planned: str = ""
    earliest: str = ""
    latest: str = ""
    status: VisitStatus = ""
    room: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting with one engine.

    Attributes
    ----------
    plan : the session plan as JSON-able mapping.
    identity : how it was confirmed who sits there, such as ``"wristband 041-7KQ read by Lin Q."``, or ``""``.
    """

    visit_id: str
    operator: str
    id: str = ""
    started: str = ""
    simulated: bool = False
    plan: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One recording of one :data:`RunKind`; the summary: latency, decision hash, counts.

    ``state`` is ``"finished"``, ``"stopped"``, ``"failed"`` or ``"recovered"``.
    """

    session_id: str
    number: int
    kind: RunKind
    paradigm: str
    state: RunState
    id: str = ""
    decoder_sha256: str = ""
    n_trials_planned: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """One signal file of one run; ``path`` is relative to the study folder."""

    run_id: str
    path: str
    sha256: str
    n_bytes: int
    n_samples: int
    fs: float
    state: RecordingState
    id: str = ""
    streams: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FittedDecoder:
    """A decoder that was fitted, by its hash.

    Attributes
    ----------
    recordings : SHA-256 of the recordings it was fitted on.
    metrics : confusion matrix by run, its n, and what else the fit measured.
    fitted_at : UTC, or ``""`` when not known.
    """

    sha256: str
    name: str
    path: str
    recordings: tuple[str, ...]
    id: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    fitted_at: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One decision on one decoder, for one effector with one participant; the newest one holds.

    Attributes
    ----------
    decision : ``"approve"``, ``"reject"`` or ``"withdraw"``.
    signer, person_id : printed name; id of the person, ``""`` for a script or before sign-in existed.
    method : ``"password"``, ``"script"`` (stands in for somebody, simulated only), ``"lifted"`` (schema 2) or
        ``"home rule"``: decided by the bounds of a protocol, good at home alone; ``signer`` is who asked for it.
    reason : in words, or ``""``.
    checks, limits : each check with value and limit as it was shown; the limits in force.
    utc : when it was signed.
    """

    decoder_sha256: str
    participant_id: str
    effector: str
    decision: ApprovalDecision
    signer: str
    method: ApprovalMethod
    utc: str
    person_id: str = ""
    reason: str = ""
    checks: tuple[Mapping[str, Any], ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note to a run; added to, never edited. ``tags``: short words such as ``"spasm"``; ``utc``: when."""

    run_id: str
    text: str
    by: str
    id: str = ""
    tags: tuple[str, ...] = ()
    utc: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Under what help an assessment was made: an assisted score is never recovery.

    Help by a person or orthosis; the interface drove an effector; stimulation was on.
    """

    assisted: bool
    device_on: bool
    stimulation_on: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """One administration of one outcome measure, entered under one condition.

    Attributes
    ----------
    items, implied : code → value (None = missing); codes that a rule implied and nobody administered.
    score, options, alerts : what ``outcomes.score`` returned, the options in force, what to act on at once.
    state : ``"draft"`` (being entered), ``"incomplete"`` (closed with items missing) or ``"complete"``.
    orthosis, mode : worn, ``""`` = none; one of the definition's modes, or ``""``.
    blinded : whether the rater was: ``"yes"``, ``"no"`` or ``"unknown"``.
    since_session_h, washout_h : since the last session, and since stimulation ended; h, None = not known.
    administered_at, repeat : UTC, ``""`` = not stated; counts from 1 within the visit.
    """

    visit_id: str
    measure: str
    version: str
    condition: Condition
    items: Mapping[str, Any]
    score: Mapping[str, Any]
    rater: str
    id: str = ""
    side: str = ""
    implied: tuple[str, ...] = ()
    state: AssessmentState = "complete"
    orthosis: str = ""
    mode: str = ""
    blinded: Blinding = "unknown"
    since_session_h: float | None = None
    washout_h: float | None = None
    administered_at: str = ""
    repeat: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One issued report, relative to the study folder, with the head of the audit chain that it prints."""

    kind: str
    path: str
    sha256: str
    head_seq: int
    head_hash: str
    id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit chain."""

    seq: int
    utc: str
    actor: str
    action: str
    table: str
    row_id: str
    commit: str
    hash: str


class Job(Protocol):
    """Work that was handed to a :class:`Worker`."""

    def result(self, *, at: int) -> Any:
        """What it gave, for sample ``at``; None where it is not there in time, and then it never is."""


class Worker(Protocol):
    """Computes one piece of work after the other, in the order in which they are handed over."""

    def submit(self, work: Callable[[Callable[[], None]], Any]) -> Job:
        """Take over ``work``, which is called with a function that says that it is alive, and gives no None."""


class LiveClient(Protocol):
    """What a screen asks of the engine; ``workbench.live.Client`` has it."""

    def status(self) -> Mapping[str, Any]:
        """The status of now."""

    def signals(self, since: int = 0, max_seconds: float = ...) -> Any:
        """Samples of the decoded stream after sample ``since``, the newest ``max_seconds`` at most."""

    def start_run(self, **kwargs: Any) -> Any:
        """Start a run with these settings."""

    def pause(self) -> Any:
        """Pause the run."""

    def resume(self) -> Any:
        """Continue the run."""

    def end_run(self) -> Any:
        """End the run in good order."""

    def stop(self) -> Any:
        """STOP: the effector to its safe state."""

    def reset_stop(self) -> Any:
        """Leave the state after a STOP."""

    def arm(self, by: str = "") -> Any:
        """Let decisions command the effector."""

    def apply_setting(self, by: str = "") -> Any:
        """Confirm the next setting of a mapping run."""

    def note_reaction(self, text: str, by: str = "") -> Any:
        """Note the reaction to the last one."""

    def disarm(self, by: str = "") -> Any:
        """Let them command it no longer."""

    def take_pressure(self, systolic: float, *, resting: bool = False, by: str = "") -> Any:
        """Enter a blood pressure of who is stimulated.

        Parameters
        ----------
        systolic : mmHg.
        resting : whether it is the session's baseline.
        by : who read it.
        """

    def take_symptom(self, symptom: str, *, by: str = "") -> Any:
        """Enter what who is stimulated feels: current is off at once."""

    def set_ceiling(self, channel: int, current_ma: float, *, by: str = "") -> Any:
        """Set the ceiling of a stimulated channel.

        Parameters
        ----------
        channel : its number, from 0.
        current_ma : mA.
        by : who sets it.
        """

    def waive(self, stream: str, reason: str) -> Any:
        """Go without a check of a stream, with a reason."""

    def note(self, text: str) -> Any:
        """Enter a note in the ledger."""

    def reconnect(self) -> Any:
        """Take a stream that came back."""

    def acknowledge(self, alarm_id: str, by: str = "") -> Any:
        """Acknowledge an alarm."""

    def presence(self, page: str, challenge: str, *, visible: bool) -> Any:
        """Say that somebody looks at the page.

        Parameters
        ----------
        page : id of the page.
        challenge : of the engine, which the page answers.
        visible : whether the page is visible.
        """

    def shutdown(self) -> Any:
        """End the engine."""


class MeasureDefinition(Protocol):
    """What a form asks of an outcome measure; ``outcomes.load(name).definition`` has it."""

    name: str
    version: str
    title: str
    items: Any
    extras: Any
    subscales: Any
    options: Any
    modes: tuple[str, ...]
    sides: tuple[str, ...]

    def check(self, code: str, value: Any) -> Any:
        """The value of one item as scoring takes it. Raises BadValue with what is allowed."""
