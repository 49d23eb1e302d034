"""Fittings of a device: what was used, how long each step took, what was uploaded on which consent.

Nothing here is filled in for somebody: what was not supplied stays ``""`` or None, and is shown as *not supplied*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal, get_args

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes.consents import in_force
from workbench.study.changes.corrections import Row, check_correction, standing
from workbench.study.nouns import SHA256, told
from workbench.vocabulary import FittingStep, FunctionTest, Payer

STEPS: tuple[FittingStep, ...] = get_args(FittingStep)
WORKERS = ("operator", "therapist", "engineer", "investigator")
MOST_CHANNELS = 4096
MOST_RECORDINGS = 1000
FURTHEST_ZONE = timedelta(hours=14)
"""Local time is at most this much ahead of UTC."""


@dataclass(frozen=True, slots=True)
class BeginFitting(Change):
    """A fitting begins; ``""`` is what was not supplied.

    Attributes
    ----------
    visit_id : of the visit.
    operator : printed name of who fits.
    session_id : of the session at that visit, ``""`` for a fitting without one.
    site, province : where.
    licence_class : of the operator.
    device_udi, nhsa_code, registration : of the product: unique device identifier, consumable code of the National
        Healthcare Security Administration, registration certificate.
    professional : whether the product needs to be fitted by a professional.
    payer : who pays.
    impedance_before_kohm : impedance by channel, kΩ.
    """

    visit_id: str
    operator: str
    session_id: str = ""
    site: str = ""
    province: str = ""
    licence_class: str = ""
    device_udi: str = ""
    nhsa_code: str = ""
    registration: str = ""
    professional: Literal["", "yes", "no"] = ""
    payer: Payer | Literal[""] = ""
    impedance_before_kohm: Mapping[str, float] = field(default_factory=dict)
    ROLES: ClassVar[tuple[str, ...]] = WORKERS

    def apply(self, record: Applying) -> str:
        """Add the fitting as a draft."""
        if self.session_id and record.row("session", self.session_id)["visit_id"] != self.visit_id:
            raise Refused(Message("fitting.other_visit", what="session"))
        _check_impedance(self.impedance_before_kohm)
        return record.insert(
            "fitting", visit_id=self.visit_id, session_id=self.session_id, site=self.site, province=self.province,
            operator=self.operator, licence_class=self.licence_class, device_udi=self.device_udi,
            nhsa_code=self.nhsa_code, registration=self.registration, professional=self.professional,
            payer=self.payer, decoder_sha256="", recordings=[], channels=None, fs=None, calibration_min=None,
            impedance_before_kohm=dict(self.impedance_before_kohm), impedance_after_kohm={}, function_test="",
            state="draft",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeFittingStep(Change):
    """A step of a fitting took from one moment to another; it may be entered again when it is repeated.

    Attributes
    ----------
    fitting_id : of the fitting.
    step : one of :data:`STEPS`.
    started, ended : in UTC, as ``2026-03-01T09:30:00Z``.
    corrects : id of the entry that this one replaces; the only kind that a complete fitting takes.
    """

    fitting_id: str
    step: FittingStep
    started: str
    ended: str
    corrects: str = ""
    ROLES: ClassVar[tuple[str, ...]] = WORKERS

    def apply(self, record: Applying) -> str:
        """Add the step."""
        closed = record.row("fitting", self.fitting_id)["state"] == "complete"
        if closed and not self.corrects:
            raise Refused(Message("fitting.closed"))
        # A complete fitting keeps all of its steps.
        kept = {"step": self.step} if closed else {}
        check_correction(record, "fitting_step", self.corrects, fitting_id=self.fitting_id, **kept)
        row_id = record.insert(
            "fitting_step", fitting_id=self.fitting_id, step=self.step, started=self.started, ended=self.ended,
            corrects=self.corrects,
        )  # fmt: skip
        # After the insert, which refuses what is no time; a refusal takes it back.
        if moment(self.ended) < moment(self.started):
            raise BadValue(Message("fitting.step_order", step=self.step, start=self.started, end=self.ended))
        _refuse_future(record, self.ended)
        return row_id


@dataclass(frozen=True, slots=True)
class CompleteFitting(Change):
    """A fitting is done; refused while one of its eight steps has no times.

    Attributes
    ----------
    fitting_id : of the fitting.
    decoder_sha256 : of the decoder that it ended with.
    recordings : SHA-256 of each calibration recording.
    channels, fs, calibration_min : of the calibration: number of channels, Hz, min; None for not supplied.
    impedance_after_kohm : impedance by channel, kΩ.
    function_test : its result.
    """

    fitting_id: str
    decoder_sha256: str = ""
    recordings: tuple[str, ...] = ()
    channels: int | None = None
    fs: float | None = None
    calibration_min: float | None = None
    impedance_after_kohm: Mapping[str, float] = field(default_factory=dict)
    function_test: FunctionTest = ""
    ROLES: ClassVar[tuple[str, ...]] = WORKERS

    def apply(self, record: Applying) -> str:
        """Close the draft."""
        if record.row("fitting", self.fitting_id)["state"] == "complete":
            raise Refused(Message("fitting.closed"))
        missing = missing_steps(record.rows("fitting_step", fitting_id=self.fitting_id))
        if missing:
            raise Refused(Message("fitting.missing", steps=missing))
        _check_calibration(self, record)
        _check_impedance(self.impedance_after_kohm)
        changes = {
            "decoder_sha256": self.decoder_sha256, "recordings": list(self.recordings), "channels": self.channels,
            "fs": self.fs, "calibration_min": self.calibration_min,
            "impedance_after_kohm": dict(self.impedance_after_kohm),
            "function_test": self.function_test, "state": "complete",
        }  # fmt: skip
        record.amend("fitting", self.fitting_id, changes, follows=Message("fitting.completed"))
        return self.fitting_id


@dataclass(frozen=True, slots=True)
class RecordUpload(Change):
    """Data of a participant were uploaded, on a consent to it that is in force.

    Attributes
    ----------
    visit_id : of the visit at which the data were recorded.
    what : was uploaded.
    sent : when, in UTC, as ``2026-03-01T09:30:00Z``.
    n_bytes, sha256 : of the upload.
    recipient : to whom.
    fitting_id : the fitting that it belongs to, ``""`` for an upload of an operation.
    corrects : id of the receipt that this one replaces.
    """

    visit_id: str
    what: str
    sent: str
    n_bytes: int
    sha256: str
    recipient: str
    fitting_id: str = ""
    corrects: str = ""
    ROLES: ClassVar[tuple[str, ...]] = (*WORKERS, "coordinator", "data_manager")

    def apply(self, record: Applying) -> str:
        """Add the receipt, with the consent that it rests on."""
        participant_id = record.participant_of("visit", self.visit_id)
        consent = in_force(record.rows("consent", participant_id=participant_id)).get("upload")
        if consent is None:
            raise Refused(Message("fitting.no_consent"))
        if self.fitting_id and record.row("fitting", self.fitting_id)["visit_id"] != self.visit_id:
            raise Refused(Message("fitting.other_visit", what="fitting"))
        check_correction(record, "upload_receipt", self.corrects, visit_id=self.visit_id)
        row_id = record.insert(
            "upload_receipt", visit_id=self.visit_id, fitting_id=self.fitting_id, what=self.what, sent=self.sent,
            n_bytes=self.n_bytes, sha256=self.sha256, recipient=self.recipient, consent_id=consent["id"],
            corrects=self.corrects,
        )  # fmt: skip
        if self.n_bytes < 1:
            raise BadValue(Message("fitting.bytes", got=str(self.n_bytes)))
        _refuse_future(record, self.sent)
        # The consent bears a local date: refused where it was a later day in every time zone.
        if date.fromisoformat(consent["consented_on"]) > (moment(self.sent) + FURTHEST_ZONE).date():
            raise Refused(Message("fitting.before_consent", sent=self.sent, on=consent["consented_on"]))
        return row_id


def missing_steps(rows: Iterable[Row]) -> list[FittingStep]:
    """Steps that have no times, in the order of the price item.

    Parameters
    ----------
    rows : of ``fitting_step`` of one fitting.
    """
    timed = {row["step"] for row in standing(rows)}
    return [step for step in STEPS if step not in timed]


def moment(text: str) -> datetime:
    """A moment in UTC of what was checked to be one."""
    return datetime.fromisoformat(text)


def _refuse_future(record: Applying, utc: str) -> None:
    if moment(utc) > moment(record.utc):
        raise BadValue(Message("fitting.future", now=record.utc, got=utc))


def _check_impedance(by_channel: Mapping[str, float]) -> None:
    if len(by_channel) > MOST_CHANNELS:
        raise BadValue(Message("fitting.channels", most=MOST_CHANNELS, n=len(by_channel)))
    wrong = [f"{name!r:.40}: {value!r:.40}" for name, value in by_channel.items() if not _at_least_0(value)]
    if wrong:
        raise BadValue(Message("fitting.impedance", got=wrong[0]))


def _at_least_0(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _check_calibration(change: CompleteFitting, record: Applying) -> None:
    for name in ("channels", "fs", "calibration_min"):
        value = getattr(change, name)
        # None of them can be zero but the time.
        if value is not None and not (_at_least_0(value) and (value or name == "calibration_min")):
            raise BadValue(Message("fitting.number", name=name, got=f"{value!r:.40}"))
    if len(change.recordings) > MOST_RECORDINGS:
        raise BadValue(Message("fitting.recordings", most=MOST_RECORDINGS, n=len(change.recordings)))
    participant_id = record.participant_of("fitting", change.fitting_id)
    for digest in change.recordings:
        if not (isinstance(digest, str) and SHA256.fullmatch(digest)):
            raise BadValue(Message("study.digest", name="recordings", got=told(digest)))
        # A recording of another program need not be in the record; one that is must be this participant's.
        rows = record.rows("recording", sha256=digest)
        if rows and participant_id not in {record.participant_of("recording", row["id"]) for row in rows}:
            raise Refused(Message("fitting.other_recording", digest=digest[:12]))
