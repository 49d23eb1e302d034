"""Between the nouns of the vocabulary and the rows of the tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any, get_args

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import (
    Approval,
    ApprovalDecision,
    ApprovalMethod,
    Assessment,
    AssessmentState,
    Blinding,
    Certainty,
    Condition,
    ConsentGiver,
    DatePrecision,
    DeviationCategory,
    EnrolmentStatus,
    EventOutcome,
    EventState,
    EvidenceStage,
    FindingKind,
    FittedDecoder,
    FittingState,
    FittingStep,
    FormState,
    FunctionTest,
    Guesser,
    LedgerRow,
    LockLevel,
    Note,
    ObligationAction,
    Ongoing,
    Participant,
    Payer,
    PersonState,
    PriceItemKind,
    Priority,
    Recording,
    Report,
    Run,
    RunKind,
    RunState,
    Session,
    Side,
    SignatureMethod,
    TreatmentKind,
    Trial,
    TrialOutcome,
    Visit,
    VisitStatus,
)

Noun = (
    Participant
    | Visit
    | Session
    | Run
    | Trial
    | Recording
    | FittedDecoder
    | Approval
    | Note
    | Assessment
    | LedgerRow
    | Report
)
Values = dict[str, Any]

TABLES: dict[type, str] = {
    Participant: "participant",
    Visit: "visit",
    Session: "session",
    Run: "run",
    Trial: "trial",
    Recording: "recording",
    FittedDecoder: "decoder",
    Approval: "approval",
    Note: "note",
    Assessment: "assessment",
    LedgerRow: "ledger",
    Report: "report",
}
KEYS: dict[str, tuple[str, ...]] = {
    "participant": ("pseudonym",),
    "visit": ("participant_id", "name"),
    "session": ("id",),
    "run": ("session_id", "number"),
    "trial": ("run_id", "index"),
    "recording": ("run_id", "path"),
    "decoder": ("sha256",),
    "approval": ("id",),
    "note": ("id",),
    "person": ("login",),
    "study_key": ("epoch",),
    "assessment": (
        "visit_id",
        "measure",
        "assisted",
        "device_on",
        "stimulation_on",
        "side",
        "orthosis",
        "mode",
        "repeat",
    ),
    "ledger": ("run_id", "number"),
    "session_ledger": ("session_id", "number"),
    "report": ("id",),
}
"""What makes a row the same row, beside its id."""

REPEATABLE = ("session", "run", "trial", "recording", "decoder", "ledger", "session_ledger", "report")
"""Made by a machine: the same row again changes nothing, so that an ingest may be repeated."""

PARENTS = {
    "visit": ("participant_id", "participant"),
    "session": ("visit_id", "visit"),
    "run": ("session_id", "session"),
    "trial": ("run_id", "run"),
    "recording": ("run_id", "run"),
    "note": ("run_id", "run"),
    "approval": ("participant_id", "participant"),
    "ledger": ("run_id", "run"),
    "session_ledger": ("session_id", "session"),
    "assessment": ("visit_id", "visit"),
    "enrolment": ("participant_id", "participant"),
    "anchor_day": ("participant_id", "participant"),
    "eligibility": ("participant_id", "participant"),
    "form": ("visit_id", "visit"),
    "consent": ("participant_id", "participant"),
    "deletion_request": ("participant_id", "participant"),
    "deletion": ("participant_id", "participant"),
    "deletion_end": ("deletion_id", "deletion"),
    "deleted_file": ("deletion_id", "deletion"),
    "snapshot_recut": ("deletion_id", "deletion"),
    "treatment": ("participant_id", "participant"),
    "query": ("participant_id", "participant"),
    "query_event": ("query_id", "query"),
    "deviation": ("participant_id", "participant"),
    "fitting": ("visit_id", "visit"),
    "fitting_step": ("fitting_id", "fitting"),
    "upload_receipt": ("visit_id", "visit"),
    "charge": ("visit_id", "visit"),
    "adverse_event": ("participant_id", "participant"),
    "device_deficiency": ("participant_id", "participant"),
    "awareness": ("participant_id", "participant"),
    "obligation_event": ("participant_id", "participant"),
    "implant": ("participant_id", "participant"),
    "implant_finding": ("implant_id", "implant"),
    "allocation": ("participant_id", "participant"),
    "unblinding": ("participant_id", "participant"),
    "blinding_guess": ("participant_id", "participant"),
    "contact_map": ("visit_id", "visit"),
}
"""Table → the column that names the row that a row belongs to, and that row's table."""
OF_ANYBODY = ("device_deficiency", "awareness", "obligation_event", "deviation")
"""Tables whose rows may belong to no participant: None stands there."""
NEEDED = (
    "pseudonym", "name", "operator", "paradigm", "measure", "version", "rater", "path", "kind", "code", "state",
    "login", "signer", "by", "text", "document_version", "what", "recipient", "document", "product", "term",
    "device", "requester",
)  # fmt: skip
PRIORITIES = get_args(Priority)
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("run", "kind"): get_args(RunKind),
    ("run", "state"): get_args(RunState),
    ("trial", "outcome"): get_args(TrialOutcome),
    ("ledger", "priority"): PRIORITIES,
    ("session_ledger", "priority"): PRIORITIES,
    ("participant", "trained_side"): get_args(Side),
    ("visit", "status"): get_args(VisitStatus),
    ("approval", "decision"): get_args(ApprovalDecision),
    ("approval", "method"): get_args(ApprovalMethod),
    ("person", "state"): get_args(PersonState),
    ("assessment", "side"): get_args(Side),
    ("assessment", "state"): get_args(AssessmentState),
    ("assessment", "blinded"): get_args(Blinding),
    ("enrolment", "status"): get_args(EnrolmentStatus),
    ("eligibility", "answer"): ("yes", "no", "unknown"),
    ("form", "state"): get_args(FormState),
    ("role_grant", "action"): ("grant", "revoke"),
    ("consent", "action"): ("granted", "withdrawn"),
    ("consent", "given_by"): get_args(ConsentGiver),
    ("deletion_request", "given_by"): get_args(ConsentGiver),
    ("deletion_end", "identity"): ("erased", "absent", "elsewhere"),
    ("deleted_file", "kind"): ("recording", "derived", "ledger"),
    ("treatment", "kind"): get_args(TreatmentKind),
    ("treatment", "ongoing"): get_args(Ongoing),
    ("treatment", "state"): ("entered", "void"),
    ("query_event", "action"): ("answered", "closed"),
    ("deviation", "category"): get_args(DeviationCategory),
    ("deviation", "state"): ("open", "closed"),
    ("adverse_event", "precision"): get_args(DatePrecision),
    ("adverse_event", "outcome"): get_args(EventOutcome),
    ("adverse_event", "state"): get_args(EventState),
    ("device_deficiency", "precision"): get_args(DatePrecision),
    ("device_deficiency", "state"): get_args(EventState),
    ("obligation_event", "action"): get_args(ObligationAction),
    ("implant_finding", "kind"): get_args(FindingKind),
    ("implant_finding", "state"): ("entered", "void"),
    ("lock_event", "level"): get_args(LockLevel),
    ("lock_event", "action"): ("lock", "unlock"),
    ("signature", "method"): get_args(SignatureMethod),
    ("fitting", "professional"): ("", "yes", "no"),
    ("fitting", "payer"): ("", *get_args(Payer)),
    ("fitting", "function_test"): get_args(FunctionTest),
    ("fitting", "state"): get_args(FittingState),
    ("fitting_step", "step"): get_args(FittingStep),
    ("price_item", "kind"): get_args(PriceItemKind),
    ("charge", "payer"): get_args(Payer),
    ("evidence_step", "stage"): get_args(EvidenceStage),
    ("blinding_guess", "guesser"): get_args(Guesser),
    ("blinding_guess", "certainty"): get_args(Certainty),
}
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
DATES = {
    "participant": ("injured_on", "consented_on"),
    "visit": ("planned", "earliest", "latest"),
    "anchor_day": ("day",),
    "consent": ("consented_on",),
    "deletion_request": ("requested_on",),
    "treatment": ("started_on", "ended_on"),
    "price_item": ("effective_from",),
    "charge": ("performed_on",),
    "evidence_step": ("decided_on",),
    "implant": ("implanted_on", "explanted_on"),
    "implant_finding": ("found_on",),
}
"""Columns that hold an ISO date or ``""``."""
TIMES = {"fitting_step": ("started", "ended"), "upload_receipt": ("sent",)}
"""Columns that hold a moment in UTC."""
DATE = re.compile(r"\d{4}-\d\d-\d\d")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
LEAST = {"repeat": 1, "since_session_h": 0, "washout_h": 0}
"""Least values of the numbers of an assessment."""

SHA256 = re.compile("[0-9a-f]{64}")

LONGEST_PSEUDONYM, LONGEST_NAME = 40, 200
"""Characters of a participant's code, and of any other name that is printed, put into a file or searched for."""
NAMES = (
    "name", "login", "operator", "paradigm", "measure", "version", "rater", "code", "site", "province",
    "licence_class", "device_udi", "nhsa_code", "registration", "what", "recipient", "item_code",
    "hospital_level", "document", "document_version", "not_charged", "product", "reference",
)  # fmt: skip
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of characters that do not show, or that turn the text around them: no part of a name."""


def flat(values: Mapping[str, Any]) -> Values:
    """Values by column: a :class:`Condition` becomes its three columns, tuples become lists."""
    row = dict(values)
    if "condition" in row and isinstance(row["condition"], Condition):
        condition = row.pop("condition")
        row |= {f.name: getattr(condition, f.name) for f in fields(Condition)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def values_of(noun: Noun) -> tuple[str, Values]:
    """``(table, values by column)`` of a noun, unchecked.

    Raises
    ------
    BadValue
        For anything that is not a noun of the record.
    """
    table = TABLES.get(type(noun))
    if table is None:
        allowed = ", ".join(kind.__name__ for kind in TABLES)
        raise BadValue(Message("study.no_noun", allowed=allowed, got=type(noun).__name__))
    return table, flat({f.name: getattr(noun, f.name) for f in fields(noun)})


def check(table: str, values: Mapping[str, Any]) -> None:
    """Refuse empty names, texts outside a closed set, invalid hashes and times, and numbers below their least.

    Raises
    ------
    BadValue
        With the column, the value and what is allowed.
    """
    for name, value in values.items():
        _check_text(table, name, value)
        _check_choice(table, name, value)
        _check_hash(table, name, value)
        if table == "assessment":
            _check_assessment(name, value)
        if name in DATES.get(table, ()):
            _check_date(table, name, value)
        if name in TIMES.get(table, ()) and not _is_utc(value):
            raise BadValue(Message("fitting.time", name=name, table=table, got=f"{value!r:.40}"))
    # ISO dates compare as text; an open end lies after every date.
    if table == "visit" and (values.get("latest") or "9999") < (values.get("earliest") or ""):
        raise BadValue(Message("study.visit_window", start=str(values["earliest"]), end=str(values["latest"])))


def _check_text(table: str, name: str, value: Any) -> None:
    """A name that is needed is not empty, and shows what it is."""
    if name in NEEDED and isinstance(value, str) and not value.strip():
        raise BadValue(Message("study.no_name", table=table, name=name))
    if name == "pseudonym":
        _check_pseudonym(value)
    elif name in NAMES and isinstance(value, str):
        _check_name(table, name, value)


def _check_choice(table: str, name: str, value: Any) -> None:
    """A word of a closed set is one of them."""
    allowed = CHOICES.get((table, name))
    if allowed and value not in allowed:
        listed = [repr(word) for word in allowed]
        raise BadValue(Message("study.word", name=name, table=table, allowed=listed, value=told(value)))


def _check_hash(table: str, name: str, value: Any) -> None:
    """A SHA-256 is one; a password is kept as a hash and nothing else."""
    hashed = name == "sha256" or (name == "decoder_sha256" and value != "")
    if hashed and not (isinstance(value, str) and SHA256.fullmatch(value)):
        raise BadValue(Message("study.digest", name=name, got=told(value)))
    if table == "person" and name == "password" and not str(value).startswith("$argon2id$"):
        raise BadValue(Message("people.password_hash"))


def _check_date(table: str, name: str, value: Any) -> None:
    """An ISO date; the planned moment of a visit may name the time too."""
    if value == "":
        return
    timed = name == "planned" and isinstance(value, str) and DATE_TIME.fullmatch(value)
    try:
        if timed:
            datetime.fromisoformat(value)
        elif isinstance(value, str) and DATE.fullmatch(value):
            date.fromisoformat(value)
        else:
            raise ValueError(value)
    except ValueError as error:
        form = "2026-03-01 or 2026-03-01T09:30" if name == "planned" else "2026-03-01"
        raise BadValue(
            Message("study.date", name=name, table=str(table), form=str(form), got=f"{value!r:.40}")
        ) from error


def _check_pseudonym(value: Any) -> None:
    """A participant's code stands in file names, tables and reports: nothing in it may mean more than itself.

    Judged in Unicode normal form C, in which it is stored. Studies written before this rule are read and verified
    as they are; only what is entered is checked.
    """
    if not isinstance(value, str):
        return
    code = unicodedata.normalize("NFC", value)
    # Letters, marks and decimal digits of any script: a code is not always written in Latin.
    kinds = {unicodedata.category(character) for character in code if character not in "-_."}
    plain = all(kind[0] in "LM" or kind == "Nd" for kind in kinds)
    if not plain or not code or code[0] in "-." or len(code) > LONGEST_PSEUDONYM:
        raise BadValue(Message("study.pseudonym", most=LONGEST_PSEUDONYM, got=f"{value!r:.60}"))


def _check_name(table: str, name: str, value: str) -> None:
    bad = [character for character in value if unicodedata.category(character) in UNSEEN]
    if bad:
        raise BadValue(
            Message(
                "study.unseen_character", name=name, table=table, character=ascii(bad[0]), value=f"{value!r:.60}"
            )
        )
    if len(value) > LONGEST_NAME:
        raise BadValue(Message("study.long_name", name=name, table=table, most=LONGEST_NAME, n=len(value)))


def _check_assessment(name: str, value: Any) -> None:
    if name == "administered_at" and value not in ("", None) and not _is_utc(value):
        raise BadValue(Message("study.administered", value=told(value)))
    if name in LEAST and isinstance(value, int | float) and not value >= LEAST[name]:
        raise BadValue(Message("study.least", name=name, least=LEAST[name], value=told(value)))


def _is_utc(value: Any) -> bool:
    try:
        return bool(isinstance(value, str) and UTC.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False


def noun_of(table: str, row: Mapping[str, Any]) -> Noun:
    """The noun of a stored row; columns the noun does not have (``run_id`` of a trial) are left out."""
    kinds: dict[str, Callable[..., Noun]] = {name: kind for kind, name in TABLES.items()}
    kind = kinds[table]
    lists = ("implied", "alerts", "recordings", "tags", "checks")
    values = {name: tuple(value) if name in lists else value for name, value in row.items()}
    if table == "assessment":
        values["condition"] = Condition(**{f.name: row[f.name] for f in fields(Condition)})
    return kind(**{f.name: values[f.name] for f in fields(kind)})  # type: ignore[arg-type]


def told(value: Any) -> str:
    """A value as it can stand in a sentence: one bounded line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # A integer of more than 4300 digits has no text, and what is nested too deeply none either.
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]} …"
