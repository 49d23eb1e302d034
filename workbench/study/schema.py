"""The tables, and the triggers that keep them append-only.

Every row of a data table carries ``id`` and ``row_version``. The triggers let a row in, or change, only
when an audit row for exactly that table, id and version is there already; the writer puts both in one
transaction. A column ``said`` holds the codes of the messages in the row's texts (:mod:`workbench.messages`).
The owner of the file can drop a trigger: ``verify`` sees it by the schema's hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, SchemaItem

from workbench.messages import SAID
from workbench.study.chain import APPLICATION_ID as APPLICATION_ID
from workbench.study.columns import Blob, Flag, Integer, Json, Key, Number, Text

SCHEMA_VERSION = 6

metadata = MetaData()


def _text(name: str, *parent: str) -> Column[str]:
    links = [ForeignKey(f"{table}.id") for table in parent]
    return Column(name, Text, *links, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Flag, CheckConstraint(f"{name} IN (0, 1)"), nullable=False)


def _number(name: str, *, missing: bool = False) -> Column[float]:
    return Column(name, Number, nullable=missing)


def _participant() -> Column[str]:
    """The participant of a row that may be about nobody, as the deficiency of a device on the shelf."""
    return Column("participant_id", Text, ForeignKey("participant.id"), nullable=True)


def _json(name: str) -> Column[object]:
    return Column(name, Json, nullable=False)


def _table(name: str, *items: SchemaItem) -> Table:
    version = Column("row_version", Integer, CheckConstraint("row_version >= 1"), nullable=False)
    return Table(name, metadata, Column("id", Text, primary_key=True), *items, version, sqlite_strict=True)


study = _table(
    "study", _text("code"), _text("title"), _text("created_utc"), _int("schema_version"),
    _text("schema_sha256"), _text("nonce"),
)  # fmt: skip
participant = _table(
    "participant", _text("pseudonym"), _flag("simulated"), _text("injury_level"), _text("ais"),
    _text("injured_on"), _text("trained_side"), _text("wristband"), _text("hold"), _text("consent"),
    _text("consented_on"),
    UniqueConstraint("pseudonym"),
)  # fmt: skip
visit = _table(
    "visit", _text("participant_id", "participant"), _text("name"), _text("started"),
    _text("planned"), _text("earliest"), _text("latest"), _text("status"), _text("room"),
    UniqueConstraint("participant_id", "name"),
)  # fmt: skip
session = _table(
    "session", _text("visit_id", "visit"), _text("operator"), _text("started"), _flag("simulated"), _json("plan"),
    _text("identity"),
)  # fmt: skip
run = _table(
    "run", _text("session_id", "session"), _int("number"), _text("kind"), _text("paradigm"), _text("state"),
    _text("decoder_sha256"), _int("n_trials_planned"), _json("parameters"), _json("summary"),
    UniqueConstraint("session_id", "number"),
)  # fmt: skip
trial = _table(
    "trial", _text("run_id", "run"), _int("index"), _text("condition"), _int("cue_sample"),
    _number("cue_stamp"), _int("end_sample"), _text("outcome"), _text("decided"),
    Column("onset_sample", Integer), _number("latency_s", missing=True), _number("release_s", missing=True),
    _number("held_s", missing=True), _int("false_activations"), _int("false_in_rest"), _number("rest_s"),
    _text("excluded"), _json("result"), _json(SAID), UniqueConstraint("run_id", "index"),
)  # fmt: skip
recording = _table(
    "recording", _text("run_id", "run"), _text("path"), _text("sha256"), _int("n_bytes"), _int("n_samples"),
    _number("fs"), _text("state"), _json("streams"), UniqueConstraint("run_id", "path"),
)  # fmt: skip
decoder = _table(
    "decoder", _text("sha256"), _text("name"), _text("path"), _json("recordings"), _json("metrics"),
    _text("fitted_at"), UniqueConstraint("sha256"),
)  # fmt: skip
person = _table(
    "person", _text("login"), _text("name"), _text("password"), _json("roles"), _text("state"),
    UniqueConstraint("login"),
)  # fmt: skip
"""Who may sign; ``password`` is an argon2id hash (RFC 9106) and never leaves this room."""
approval = _table(
    "approval", Column("decoder_sha256", Text, ForeignKey("decoder.sha256"), nullable=False),
    _text("participant_id", "participant"), _text("effector"), _text("decision"), _text("signer"),
    _text("person_id"), _text("method"), _text("reason"), _json("checks"), _json("limits"), _text("utc"),
)  # fmt: skip
note = _table("note", _text("run_id", "run"), _text("text"), _text("by"), _json("tags"), _text("utc"))
study_key = _table(
    "study_key", _int("epoch"), _text("public_key"), _text("algorithm"), _text("utc"), UniqueConstraint("epoch")
)  # fmt: skip
"""Public keys by epoch; audit rows after the one that enters a key are keyed with its secret half."""
assessment = _table(
    "assessment", _text("visit_id", "visit"), _text("measure"), _text("version"), _flag("assisted"),
    _flag("device_on"), _flag("stimulation_on"), _text("side"), _json("items"), _json("implied"), _json("score"),
    _text("rater"), _text("state"), _text("orthosis"), _text("mode"), _text("blinded"),
    _number("since_session_h", missing=True), _number("washout_h", missing=True), _text("administered_at"),
    Column("repeat", Integer, CheckConstraint("repeat >= 1"), nullable=False), _json("options"), _json("alerts"),
    _json(SAID),
    UniqueConstraint(
        "visit_id", "measure", "assisted", "device_on", "stimulation_on", "side", "orthosis", "mode", "repeat"
    ),
)  # fmt: skip


def _ledger(name: str, parent: str) -> Table:
    owner = f"{parent}_id"
    return _table(
        name, _text(owner, parent), _int("number"), _text("kind"), _number("stamp"), _number("local"),
        _int("sample"), _text("stream"), _text("extent"), _text("consequence"), _text("priority"),
        _json(SAID),
        UniqueConstraint(owner, "number"),
    )  # fmt: skip


ledger = _ledger("ledger", "run")
session_ledger = _ledger("session_ledger", "session")
"""Rows that were entered while no run was on."""
report = _table(
    "report", _text("kind"), _text("path"), _text("sha256"), _int("head_seq"), _text("head_hash"),
    _json("parameters"),
)  # fmt: skip
protocol_version = _table(
    "protocol_version", _text("version"), _text("sha256"), _text("effective_from"), _text("ethics_reference"),
    _json("definition"), _text("by"), _text("utc"), UniqueConstraint("version"), UniqueConstraint("sha256"),
)  # fmt: skip
"""Every version of the protocol, whole; two signatures stand on each."""
enrolment = _table(
    "enrolment", _text("participant_id", "participant"), _text("protocol_version_id", "protocol_version"),
    _text("site"), _text("screening_number"), _text("status"), UniqueConstraint("participant_id"),
)  # fmt: skip
anchor_day = _table(
    "anchor_day", _text("participant_id", "participant"), _text("anchor"), _text("day"),
    UniqueConstraint("participant_id", "anchor"),
)  # fmt: skip
"""Days of a participant from which visits are counted."""
eligibility = _table(
    "eligibility", _text("participant_id", "participant"), _text("criterion"), _text("answer"), _text("evidence"),
    _text("by"), _text("utc"),
)  # fmt: skip
"""Answers to the criteria, oldest first; the newest on a criterion holds."""
form = _table(
    "form", _text("visit_id", "visit"), _text("name"), _int("instance"), _int("entry"), _json("values"),
    _text("state"), _text("protocol_sha256"), _text("by"), _text("utc"),
    UniqueConstraint("visit_id", "name", "instance", "entry"),
)  # fmt: skip
"""``entry`` 1 and 2 are those of two people, 0 what holds where a form is entered twice."""
role_grant = _table(
    "role_grant", _text("person_id", "person"), _text("role"), _text("action"), _text("site"), _flag("blinded"),
    _text("training"), _text("by"), _text("utc"),
)  # fmt: skip
"""Roles given and taken, oldest first; ``person.roles`` is what they add up to."""
consent = _table(
    "consent", _text("participant_id", "participant"), _text("purpose"), _text("action"),
    _text("document_version"), _text("document_sha256"), _text("given_by"), _text("witness"), _text("language"),
    _text("consented_on"), _text("by"), _text("utc"),
)  # fmt: skip
consent_document = _table(
    "consent_document", _text("document_version"), _text("document_sha256"), _text("language"), _text("site"),
    _text("ethics_reference"), _text("by"), _text("utc"),
    UniqueConstraint("document_version", "language", "site"),
)  # fmt: skip
"""Documents that a site has people sign beside those of the protocol, such as its translation."""
deletion_request = _table(
    "deletion_request", _text("participant_id", "participant"), _text("requested_on"), _text("basis"),
    _text("given_by"), _text("by"), _text("utc"),
)  # fmt: skip
deletion = _table(
    "deletion", _text("participant_id", "participant"), _text("deletion_request_id", "deletion_request"),
    _text("plan_sha256"), _int("n_rows"), _json("decoders"), _text("reason"), _text("by"), _text("utc"),
    UniqueConstraint("deletion_request_id"),
)  # fmt: skip
"""``decoders`` are those that nobody may use any more."""
deletion_end = _table(
    "deletion_end", _text("deletion_id", "deletion"), _text("identity"), _text("by"), _text("utc"),
    UniqueConstraint("deletion_id"),
)  # fmt: skip
"""Every file of a deletion is gone; without such a row it was interrupted."""
deleted_file = _table(
    "deleted_file", _text("deletion_id", "deletion"), _text("kind"), _text("path"), _text("sha256"),
    _int("n_bytes"), _text("by"), _text("utc"), UniqueConstraint("deletion_id", "path"),
)  # fmt: skip
snapshot_recut = _table(
    "snapshot_recut", _text("deletion_id", "deletion"), _text("snapshot_id"), _text("replaces"), _text("sha256"),
    _int("n_bytes"), _text("by"), _text("utc"), UniqueConstraint("deletion_id", "snapshot_id"),
)  # fmt: skip
"""A snapshot whose file a deletion cut again: it ``replaces`` that of another SHA-256, without what went."""
treatment = _table(
    "treatment", _text("participant_id", "participant"), _text("kind"), _text("name"), _text("indication"),
    _text("dose"), Column("minutes", Integer), _text("given_by"), _text("started_on"), _text("ended_on"),
    _text("ongoing"), _text("state"), _text("by"), _text("utc"),
)  # fmt: skip
"""What a participant receives beside the study: drugs, procedures, rehabilitation, assistive devices."""
query = _table(
    "query", _text("participant_id", "participant"), _text("table_name"), _text("row_id"), _text("field"),
    _flag("automatic"), _text("text"), _text("by"), _text("utc"), _json(SAID),
)  # fmt: skip
query_event = _table(
    "query_event", _text("query_id", "query"), _text("action"), _text("text"), _text("by"), _text("utc")
)  # fmt: skip
"""Answers to a query, and its end."""
deviation = _table(
    "deviation", _participant(), _text("category"), _flag("automatic"),
    _text("table_name"), _text("row_id"), _text("text"), _text("impact"), _text("correction"), _text("state"),
    _text("by"), _text("utc"), _json(SAID),
)  # fmt: skip
lock_event = _table(
    "lock_event", _text("level"), _text("table_name"), _text("row_id"), _text("action"), _text("reason"),
    _text("by"), _int("head_seq"), _text("head_hash"), _text("utc"),
)  # fmt: skip
"""Locks set and lifted; the newest on a row holds."""
snapshot = _table(
    "snapshot", _text("lock_event_id", "lock_event"), _text("name"), _text("path"), _text("sha256"),
    _int("n_bytes"), _int("n_rows"), _text("by"), _text("utc"), UniqueConstraint("name"),
)  # fmt: skip
"""Data cuts and what hard locks left: every data table as it was, in a file; ``sha256`` is that of all of them."""
signature = _table(
    "signature", _text("signer"), _text("person_id"), _text("method"), _text("meaning"), _json("targets"),
    _text("sha256"), _text("utc"),
)  # fmt: skip
"""``targets`` are the rows that were shown, each with its version and hash; ``sha256`` is that of all of them."""
fitting = _table(
    "fitting", _text("visit_id", "visit"), _text("session_id"), _text("site"), _text("province"),
    _text("operator"), _text("licence_class"), _text("device_udi"), _text("nhsa_code"), _text("registration"),
    _text("professional"), _text("payer"), _text("decoder_sha256"), _json("recordings"),
    Column("channels", Integer), _number("fs", missing=True), _number("calibration_min", missing=True),
    _json("impedance_before_kohm"), _json("impedance_after_kohm"), _text("function_test"), _text("state"),
    _text("by"), _text("utc"),
)  # fmt: skip
"""A fitting; ``recordings`` (SHA-256), ``channels``, ``fs`` and ``calibration_min`` are of its calibration."""
fitting_step = _table(
    "fitting_step", _text("fitting_id", "fitting"), _text("step"), _text("started"), _text("ended"),
    _text("corrects"), _text("by"), _text("utc"),
)  # fmt: skip
"""Here and below ``corrects`` is the id of the row that this one replaces, ``""`` for none."""
upload_receipt = _table(
    "upload_receipt", _text("visit_id", "visit"), _text("fitting_id"), _text("what"), _text("sent"),
    _int("n_bytes"), _text("sha256"), _text("recipient"), _text("consent_id", "consent"), _text("corrects"),
    _text("by"), _text("utc"),
)  # fmt: skip
price_item = _table(
    "price_item", _text("name"), _text("kind"), _text("item_code"), _text("province"), _text("hospital_level"),
    _text("document"), _text("document_version"), _text("effective_from"), _text("cap"), _text("currency"),
    _json("rules"), _text("corrects"), _text("by"), _text("utc"),
)  # fmt: skip
"""Amounts here and in ``charge`` are decimal numbers as text: money is not rounded to binary fractions."""
charge = _table(
    "charge", _text("visit_id", "visit"), _text("fitting_id"), _json("operation"),
    _text("price_item_id", "price_item"), _text("performed_on"), _text("price"), _json("reductions"),
    _text("amount"), _text("payer"), _text("not_charged"), _flag("taken_back"), _text("corrects"), _text("by"),
    _text("utc"),
)  # fmt: skip
"""Of a fitting, or of an operation that is described in it; with ``not_charged`` it is shadow billing, and with
``taken_back`` it stands for nothing and replaces a charge that should not be there."""
evidence_step = _table(
    "evidence_step", _text("stage"), _text("product"), _text("province"), _text("decided_on"), _text("reference"),
    _text("document"), _text("sha256"), _text("corrects"), _text("by"), _text("utc"),
)  # fmt: skip
"""The way of a product to reimbursement: approval of its dossier, its code, the decision to reimburse it."""
adverse_event = _table(
    "adverse_event", _text("participant_id", "participant"), _text("term"), _text("onset"), _text("precision"),
    _json("facts"), _text("classification"), _text("outcome"), _text("action"), _text("narrative"),
    _json("coding"), _json("jurisdictions"), _text("country"), _json("stopping"), _text("state"), _text("by"),
    _text("utc"),
)  # fmt: skip
"""``stopping``: whether it counts, by name of the stopping rule, once somebody has judged it."""
device_deficiency = _table(
    "device_deficiency", _participant(), _text("device"), _text("serial"), _text("text"), _text("onset"),
    _text("precision"), _json("facts"), _text("logs_sha256"), _json("jurisdictions"), _text("country"),
    _text("state"), _text("by"), _text("utc"),
)  # fmt: skip
awareness = _table(
    "awareness", _participant(), _text("table_name"), _text("row_id"), _json("facts"), _json("jurisdictions"),
    _text("country"), _text("aware_utc"), _text("zone"), _text("person"), _text("by"), _text("utc"),
)  # fmt: skip
"""Every statement about an event or a deficiency, oldest first: what all clocks are computed from."""
obligation_event = _table(
    "obligation_event", _participant(), _text("table_name"), _text("row_id"), _text("rule"),
    _text("table_version"), _text("action"), _text("event_id"), _text("at"), _text("due"), _int("late_s"),
    _text("person"), _text("how"), _text("reference"), _text("reason"), _text("next_step"), _text("by"),
    _text("utc"),
)  # fmt: skip
"""What was done about a report. ``due`` is when it was due then, of an extension the later moment."""
rule_confirmation = _table(
    "rule_confirmation", _text("rule"), _text("table_version"), _text("source"), _text("by"), _text("utc"),
    UniqueConstraint("rule", "table_version"),
)  # fmt: skip
implant = _table(
    "implant", _text("participant_id", "participant"), _text("device"), _text("udi"), _text("serial"),
    _text("location"), _text("implanted_on"), _text("explanted_on"), _text("explant_reason"),
    _text("intercurrent"), _text("by"), _text("utc"),
)  # fmt: skip
implant_finding = _table(
    "implant_finding", _text("implant_id", "implant"), _text("kind"), _text("found_on"), _flag("notable"),
    _text("text"), _json("values"), _text("state"), _text("by"), _text("utc"),
)  # fmt: skip
rand_list = _table(
    "rand_list", _text("protocol_sha256"), _json("design"), _json("sealed"), _text("commitment"),
    _int("generator"), _text("by"), _text("utc"), UniqueConstraint("protocol_sha256"),
)  # fmt: skip
"""``sealed`` is the list without its secret, ``commitment`` its root. A minimisation has ``{}``, and one to its
seed."""
allocation = _table(
    "allocation", _text("participant_id", "participant"), _text("list_id", "rand_list"), _text("stratum"),
    _int("seq"), _json("covariates"), _text("sealed"), _text("state"), _text("by"), _text("utc"),
    UniqueConstraint("list_id", "stratum", "seq"), UniqueConstraint("list_id", "participant_id"),
)  # fmt: skip
"""``sealed`` is the ciphertext of the arm, ``state`` the leaf of its slot. A minimisation has no stratum; its
draws have numbers from 0, and ``state`` is theirs."""
unblinding = _table(
    "unblinding", _text("participant_id", "participant"), _text("reason"), _text("requester"), _json("told"),
    _flag("emergency"), _text("person_id"), _text("by"), _text("utc"),
)  # fmt: skip
"""``told`` names who was told, ``person_id`` who unblinded; the arm does not stand here."""
blinding_guess = _table(
    "blinding_guess", _text("participant_id", "participant"), _text("guesser"), _text("guess"),
    _text("certainty"), _text("by"), _text("utc"),
)  # fmt: skip
stimulation_limits = _table(
    "stimulation_limits", _text("electrode"), _int("version"), _text("sha256"), _text("replaces"),
    _json("definition"), _json("raised"), _json("signed"), _text("by"), _text("utc"),
    UniqueConstraint("electrode", "version"), UniqueConstraint("sha256"),
)  # fmt: skip
"""Limits of an electrode model, whole, every version; ``raised`` is what it allows more than the one before, and
``signed`` who signed in which role. Two signatures stand on each."""
contact_map = _table(
    "contact_map", _text("visit_id", "visit"), _text("electrode"), _text("lead"), _int("limits_version"),
    _text("limits_sha256"), _flag("simulated"), _number("minutes"), _json("hot_spots"), _json("result"),
    _json("source"), _text("by"), _text("utc"),
)  # fmt: skip
"""Which contact of a lead moves which muscle; a later map of the same lead stands beside it."""
DATA = tuple(metadata.tables.values())
APPEND_ONLY = (
    "trial", "recording", "decoder", "approval", "note", "ledger", "session_ledger", "report", "study_key",
    "protocol_version", "eligibility", "role_grant", "consent", "consent_document", "deletion_request",
    "deletion", "deletion_end", "deleted_file", "snapshot_recut", "query", "query_event", "lock_event", "snapshot",
    "signature", "fitting_step", "upload_receipt", "price_item", "charge", "evidence_step", "awareness",
    "obligation_event", "rule_confirmation", "rand_list", "allocation", "unblinding", "blinding_guess",
    "stimulation_limits", "contact_map",
)  # fmt: skip
AMENDABLE: dict[str, tuple[str, ...]] = {
    "study": ("code", "title"),
    "person": ("name", "password", "roles", "state"),
    "enrolment": ("protocol_version_id", "site", "status"),
    "anchor_day": ("day",),
    "form": ("values", "state", "protocol_sha256", "by", "utc"),
    "deviation": ("text", "impact", "correction", "state", SAID),
    "treatment": tuple(
        c.name
        for c in treatment.columns
        if c.name not in ("id", "participant_id", "kind", "by", "utc", "row_version")
    ),
    "fitting": tuple(
        c.name for c in fitting.columns if c.name not in ("id", "visit_id", "by", "utc", "row_version")
    ),
    "adverse_event": (
        "term",
        "onset",
        "precision",
        "facts",
        "classification",
        "outcome",
        "action",
        "narrative",
        "coding",
        "jurisdictions",
        "country",
        "stopping",
        "state",
    ),
    "device_deficiency": (
        "device",
        "serial",
        "text",
        "onset",
        "precision",
        "facts",
        "logs_sha256",
        "jurisdictions",
        "country",
        "state",
    ),
    "implant": (
        "device",
        "udi",
        "serial",
        "location",
        "implanted_on",
        "explanted_on",
        "explant_reason",
        "intercurrent",
    ),
    "implant_finding": ("kind", "found_on", "notable", "text", "values", "state"),
    **{
        table.name: tuple(c.name for c in table.columns if c.name not in ("id", "row_version"))
        for table in (participant, visit, session, run, assessment)
    },
}
"""Columns that ``amend`` may change; the others identify the row or are a fact about a file."""
BY_CHANGE = {
    "adverse_event": ("ReviseEvent", AMENDABLE["adverse_event"]),
    "device_deficiency": ("ReviseDeficiency", AMENDABLE["device_deficiency"]),
    "implant": ("Explant", ("explanted_on", "explant_reason", "intercurrent")),
    "implant_finding": ("ReviseFinding", AMENDABLE["implant_finding"]),
}
"""Columns that only a change amends, and which one: a fact that is corrected without an awareness would start no
clock, an implant that is taken out without a name for it would be no intercurrent event of the protocol, and a
finding of another day may be another planned check."""
MAY_BE_REDACTED: dict[str, tuple[str, ...]] = {
    "protocol_version": ("by",), "enrolment": ("screening_number",), "anchor_day": (),
    "eligibility": ("evidence", "by"), "form": ("values", "by"), "role_grant": ("training", "by"),
    "consent": ("witness", "by"), "consent_document": ("by",),
    "treatment": ("name", "indication", "dose", "given_by", "by"),
    "deletion_request": ("basis", "by"), "deletion": ("reason", "by"), "deletion_end": ("by",),
    "deleted_file": ("by",), "snapshot_recut": ("by",),
    "query": ("text", "by"),
    "query_event": ("text", "by"),
    "deviation": ("text", "impact", "correction", "by"), "lock_event": ("reason", "by"), "snapshot": ("by",),
    "signature": ("signer", "meaning"),
    "fitting": ("operator", "licence_class", "by"), "fitting_step": ("by",),
    "upload_receipt": ("what", "recipient", "by"), "price_item": ("by",),
    "charge": ("operation", "not_charged", "by"), "evidence_step": ("reference", "by"),
    "adverse_event": ("term", "action", "narrative", "coding", "by"),
    "device_deficiency": ("serial", "text", "by"),
    "awareness": ("person", "by"),
    "obligation_event": ("person", "how", "reference", "reason", "next_step", "by"),
    "rule_confirmation": ("source", "by"),
    "implant": ("udi", "serial", "location", "explant_reason", "by"), "implant_finding": ("text", "values", "by"),
    "unblinding": ("reason", "requester", "by"), "blinding_guess": ("by",),
    "stimulation_limits": ("by",), "contact_map": ("by",),
}  # fmt: skip
"""Columns of these tables that a redaction may take: texts in which a name may stand by mistake.

What a rule is computed from stays, as a redaction needs no role and may put anything in its place: who was told an
arm, which consent was withdrawn, which rule was confirmed, what is locked.
"""
REDACTABLE = tuple(table.name for table in DATA if table not in (study_key, rand_list, allocation))
"""Tables whose rows may be redacted: without what entered a key, nothing after it could be verified, and an
allocation that took another slot would free its own."""

audit = Table(
    "audit", metadata, Column("seq", Key, primary_key=True, autoincrement=False, nullable=False), _text("utc"),
    _text("tz"), _int("mono_ns"), _text("boot_id"), _text("actor"), _text("action"), _text("table_name"),
    _text("row_id"), _int("row_version"), _int("schema_version"), _text("commitment"), _text("hash"),
    sqlite_strict=True,
)  # fmt: skip
audit_payload = Table(
    "audit_payload", metadata, Column("seq", Key, ForeignKey("audit.seq"), nullable=False),
    Column("salt", Blob, nullable=False), _text("payload"), PrimaryKeyConstraint("seq"), sqlite_strict=True,
)  # fmt: skip
signed_head = Table(
    "signed_head", metadata, Column("seq", Key, ForeignKey("audit.seq"), nullable=False), _text("hash"),
    _text("digest"), _int("epoch"), _text("utc"), _text("why"), _text("signature"), PrimaryKeyConstraint("seq"),
    sqlite_strict=True,
)  # fmt: skip
"""Signed heads of the chain. Beside the chain, not in it: signing a head does not move the head."""
OWN = (audit, audit_payload, signed_head)
"""Tables that are no data: the chain and what vouches for it."""
Index("audit_by_row", audit.c.table_name, audit.c.row_id, audit.c.row_version)


def _trigger(name: str, when: str, condition: str, sentence: str) -> str:
    where = f" WHEN {condition}" if condition else ""
    return f"CREATE TRIGGER {name} BEFORE {when}{where} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"


def _any_changed(names: Iterable[str]) -> str:
    return " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in names) or "FALSE"


def fixed_columns(table: str) -> tuple[list[str], list[str]]:
    """Columns that no amendment takes: those that never change, and the texts among them that a redaction takes.

    Parameters
    ----------
    table : whose; of an append-only one there are none, as it takes no amendment at all.
    """
    amendable = AMENDABLE.get(table)
    columns = [] if amendable is None else [c.name for c in metadata.tables[table].columns]
    fixed = [name for name in columns if name not in (*(amendable or ()), "row_version")]
    texts = [name for name in fixed if name in MAY_BE_REDACTED.get(table, ())]
    return [name for name in fixed if name not in texts], texts


def _data_triggers(table: str) -> list[str]:
    audited = (
        f"EXISTS (SELECT 1 FROM audit WHERE table_name = '{table}' AND row_id = NEW.id "
        "AND row_version = NEW.row_version"
    )
    redacted = " AND action = 'redact'" if table in APPEND_ONLY else ""
    never, texts = fixed_columns(table)
    changed = f"NEW.row_version <> OLD.row_version + 1 OR NEW.id <> OLD.id OR {_any_changed(never)}"
    # A text that no amendment takes leaves by a redaction.
    changed += f" OR (({_any_changed(texts)}) AND NOT {audited} AND action = 'redact'))" if texts else ""
    # INSERT OR REPLACE would otherwise change a row without its history.
    known = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) OR NEW.row_version <> 1"
    return [
        _trigger(f"{table}_insert", f"INSERT ON {table}", f"{known} OR NOT {audited})", f"{table}: not audited"),
        _trigger(
            f"{table}_update", f"UPDATE ON {table}", f"{changed} OR NOT {audited}{redacted})",
            f"{table}: append-only" if redacted else f"{table}: not audited",
        ),
        _trigger(f"{table}_delete", f"DELETE ON {table}", "", f"{table}: append-only"),
    ]  # fmt: skip


@cache
def triggers() -> tuple[str, ...]:
    """SQL of all triggers, in a fixed order."""
    redacted = (
        # Not `old` and `new`: such an alias would hide the row that is deleted, and one redaction allow all.
        "NOT EXISTS (SELECT 1 FROM audit AS entry JOIN audit AS later ON later.table_name = entry.table_name "
        "AND later.row_id = entry.row_id AND later.seq > entry.seq AND later.action = 'redact' "
        "WHERE entry.seq = OLD.seq)"
    )
    own = [
        _trigger(
            "audit_insert", "INSERT ON audit", "NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)",
            "audit: append-only",
        ),
        _trigger("audit_update", "UPDATE ON audit", "", "audit: append-only"),
        _trigger("audit_delete", "DELETE ON audit", "", "audit: append-only"),
        _trigger(
            "payload_insert", "INSERT ON audit_payload", "NEW.seq <> (SELECT MAX(seq) FROM audit)",
            "audit_payload: append-only",
        ),
        _trigger("payload_update", "UPDATE ON audit_payload", "", "audit_payload: append-only"),
        _trigger("payload_delete", "DELETE ON audit_payload", redacted, "audit_payload: only redaction deletes"),
        _trigger(
            "signed_head_insert", "INSERT ON signed_head",
            "NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND hash = NEW.hash)",
            "signed_head: no such head",
        ),
        _trigger("signed_head_update", "UPDATE ON signed_head", "", "signed_head: append-only"),
        _trigger("signed_head_delete", "DELETE ON signed_head", "", "signed_head: append-only"),
    ]  # fmt: skip
    return (*own, *(sql for table in DATA for sql in _data_triggers(table.name)))


def order_of(table: Table) -> Any:
    """What the rows of a table are sorted by to be in the order of entry."""
    return table.c.seq if table in OWN else literal_column("rowid")


def in_order_of_parents() -> list[Table]:
    """All tables, each after those that it refers to."""
    return list(metadata.sorted_tables)


def create_tables(connection: Connection) -> None:
    """Create all tables and indexes inside the caller's transaction."""
    _execute(connection, _table_statements())


@cache
def _table_statements() -> tuple[str, ...]:
    """What creates tables and indexes in SQLite; put together once, as it takes longer than to create them."""
    statements: list[str] = []
    for table in (*DATA, *OWN):
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        created: list[CreateTable | CreateIndex] = [CreateTable(table), *(CreateIndex(index) for index in indexes)]
        statements += [str(one.compile(dialect=sqlite.dialect())) for one in created]
    return tuple(statements)


def create_triggers(connection: Connection) -> None:
    """Create all triggers inside the caller's transaction."""
    _execute(connection, triggers())


def _execute(connection: Connection, statements: Iterable[str]) -> None:
    """Carry out statements by SQLite's own connection: there are hundreds, and SQLAlchemy asks about each."""
    raw: Any = connection.connection.dbapi_connection
    for sql in statements:
        raw.execute(sql)


def create(connection: Connection) -> None:
    """Create all tables, indexes and triggers inside the caller's transaction."""
    create_tables(connection)
    create_triggers(connection)
