"""The data dictionary of the record itself: every table and column, what it holds and which words it takes.

The meanings are those that stand in the code: of a column in the noun or change that fills it, of a table behind
its definition in :mod:`workbench.study.schema`. What no docstring says stands in :data:`STATED`; otherwise the
cell is empty.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from workbench import delimited
from workbench.messages import SAID
from workbench.study import changes, schema
from workbench.study.nouns import CHOICES, DATES, KEYS, TABLES
from workbench.vocabulary import Condition

COLUMNS = (
    "table", "table_meaning", "column", "type", "may_be_empty", "refers_to", "in_key", "changes", "allowed",
    "meaning",
)  # fmt: skip
FILLED_BY: dict[str, tuple[str, ...]] = {
    "protocol_version": ("AdoptProtocol",),
    "enrolment": ("Enrol", "SetStatus"),
    "anchor_day": ("SetAnchor",),
    "eligibility": ("AnswerCriterion",),
    "form": ("SaveForm",),
    "role_grant": ("GrantRole",),
    "consent": ("GiveConsent",),
    "deletion_request": ("RequestDeletion",),
    "treatment": ("RecordTreatment", "RecordRehabilitation", "RecordAssistiveDevice"),
    "deletion_end": ("EndDeletion",),
    "snapshot_recut": ("BeginDeletion",),
    "consent_document": ("RegisterConsentDocument",),
    "query": ("OpenQuery",),
    "query_event": ("AnswerQuery", "CloseQuery"),
    "deviation": ("RecordDeviation", "CloseDeviation"),
    "lock_event": ("Freeze", "LockStudy"),
    "snapshot": ("CutData",),
    "signature": ("Sign",),
    "fitting": ("BeginFitting", "CompleteFitting"),
    "fitting_step": ("TimeFittingStep",),
    "upload_receipt": ("RecordUpload",),
    "price_item": ("AddPriceItem",),
    "charge": ("Charge",),
    "evidence_step": ("RecordEvidenceStep",),
    "adverse_event": ("ReportEvent", "ReviseEvent"),
    "device_deficiency": ("ReportDeficiency", "ReviseDeficiency"),
    "awareness": ("ReportEvent",),
    "obligation_event": ("MarkSent", "RetractSent", "TellSomebody", "MarkSeen", "ExtendObligation"),
    "rule_confirmation": ("ConfirmRule",),
    "implant": ("Implant", "Explant"),
    "implant_finding": ("RecordFinding", "ReviseFinding", "VoidFinding"),
    "rand_list": ("MakeList",),
    "allocation": ("Randomise",),
    "unblinding": ("Unblind",),
    "blinding_guess": ("RecordGuess",),
    "stimulation_limits": ("AdoptStimulationLimits",),
    "contact_map": ("RecordContactMap",),
}
"""Changes whose fields become the columns of a table, beside its noun."""
EVERYWHERE = {
    "id": "of the row, never used again",
    "row_version": "1 at first, one more with every change",
    "by": "printed name of who entered it",
    "utc": "when it was entered, UTC",
    SAID: "codes and arguments of the sentences in the other columns, by column",
}
STATED = {
    "study": {
        "code": "short code", "title": "full title", "created_utc": "when the record was made, UTC",
        "schema_version": "version of the tables it was made with", "schema_sha256": "SHA-256 of their SQL",
        "nonce": "random, so that no two records begin their chain alike",
    },
    "participant": {"pseudonym": "code of the participant", "simulated": "whether it is no person"},
    "visit": {"name": "as the protocol calls it, or as it was added"},
    "session": {
        "operator": "who ran it", "started": "UTC", "simulated": "whether the signals are simulated",
        "plan": "as it was started with",
    },
    "person": {
        "login": "for signing in", "name": "as printed under a signature", "roles": "what the grants add up to",
        "password": "argon2id hash (RFC 9106); never exported", "state": "whether signing in is possible",
    },
    "run": {
        "number": "within the session, from 1", "n_trials_planned": "number of trials that were planned",
        "decoder_sha256": "decoder that it used, empty for none",
    },
    "recording": {
        "path": "file, from the study folder", "sha256": "of the file", "n_bytes": "of the file",
        "n_samples": "of the decoded stream", "fs": "nominal rate, Hz",
    },
    "decoder": {"sha256": "of the decoder", "path": "folder, from the study folder"},
    "assessment": {"measure": "outcome measure", "version": "of the measure", "rater": "who rated"},
    "report": {
        "path": "file, from the study folder", "sha256": "of the file",
        "head_seq": "newest audit entry it rests on", "head_hash": "hash of that entry",
    },
    "protocol_version": {
        "version": "as semver.org writes it", "sha256": "of the definition", "effective_from": "ISO date",
        "ethics_reference": "number given by the committee, empty before it is",
    },
    "form": {"protocol_sha256": "version of the protocol it was entered under"},
    "consent": {"purpose": "what is consented to", "action": "whether it is given or taken back"},
    "treatment": {"state": "void is what was entered by mistake"},
    "implant_finding": {"state": "void is what was entered by mistake"},
    "deletion": {
        "plan_sha256": "of what was shown before", "n_rows": "whose texts and history went",
        "decoders": "SHA-256 of those that nobody may use any more", "reason": "why",
    },
    "deleted_file": {
        "kind": "of the file", "path": "from the study folder", "sha256": "of the file", "n_bytes": "of the file",
    },
    "snapshot_recut": {
        "snapshot_id": "of the snapshot that was cut again", "replaces": "SHA-256 of its file until then",
        "sha256": "of its file from then on", "n_bytes": "of the file",
    },
    "query": {"automatic": "whether the record itself asks"},
    "deviation": {"automatic": "whether the record itself noticed it"},
    "snapshot": {
        "path": "file, from the study folder", "sha256": "of the file, which holds every data table",
        "n_bytes": "of the file", "n_rows": "of all tables in it",
    },
    "lock_event": {"reason": "why", "head_seq": "newest audit entry then", "head_hash": "hash of that entry"},
    "signature": {
        "signer": "printed name", "method": "how the signer confirmed it", "sha256": "of what was signed",
    },
    "charge": {
        "reductions": "from the price, each with its rule", "amount": "what is left of the price, decimal",
        "payer": "who pays", "taken_back": "whether it only replaces a charge that should not be there",
    },
    "adverse_event": {
        "precision": "of the onset", "classification": "AE to USADE, by the facts",
        "stopping": "whether it counts, by name of the stopping rule",
    },
    "device_deficiency": {"precision": "of the onset"},
    "awareness": {
        "table_name": "of the event or deficiency", "row_id": "of the event or deficiency",
        "aware_utc": "when the person became aware, UTC",
    },
    "obligation_event": {
        "table_name": "of the event or deficiency", "table_version": "of the table of rules",
        "action": "what was done about the report", "due": "when it was due then, UTC",
        "late_s": "how late it was sent, s", "reason": "why it was late, put off, or taken back",
    },
    "rule_confirmation": {"table_version": "of the table of rules"},
    "stimulation_limits": {
        "electrode": "model that they are for", "version": "counts from 1", "sha256": "of the definition",
        "replaces": "SHA-256 of the version before, empty of the first",
        "raised": "names of what it allows more than the version before",
        "signed": "who signed, and in which role",
    },
    "contact_map": {
        "electrode": "model of the lead", "lead": "what people call it", "limits_version": "in force then",
        "limits_sha256": "of these limits", "simulated": "whether nobody was stimulated",
        "minutes": "that it took, min", "hot_spots": "contact and current for each muscle",
        "result": "plan, curves of each contact, hot-spots, charge in µC", "source": "devices, model and person",
    },
    "rand_list": {
        "protocol_sha256": "version of the protocol that it serves", "design": "of the randomisation",
        "sealed": "slots without the secret", "commitment": "to the whole list", "generator": "its version",
    },
    "allocation": {
        "stratum": "of the list", "seq": "number of the slot or draw", "sealed": "ciphertext of the arm",
        "state": "what proves the slot or draw",
    },
    "unblinding": {"reason": "why", "person_id": "who unblinded"},
    "study_key": {
        "epoch": "number of the key", "public_key": "half that verifies", "algorithm": "that it is used with",
    },
    "audit": {
        "seq": "from 1, without a gap", "tz": "offset of the computer's clock from UTC",
        "mono_ns": "monotonic clock of that boot, ns", "boot_id": "of the running boot", "actor": "who",
        "action": "what was done", "table_name": "to a row of which table", "row_id": "to which row",
        "schema_version": "version of the tables it was written under",
        "commitment": "salted SHA-256 of the payload", "hash": "of this entry and the one before",
    },
    "audit_payload": {
        "seq": "of the audit entry", "salt": "random", "payload": "old and new values and the reason, as JSON",
    },
    "signed_head": {
        "seq": "of the audit entry", "hash": "of that entry", "epoch": "number of the key", "why": "it was signed",
        "signature": "Ed25519",
    },
}  # fmt: skip
"""Meanings that stand in no docstring."""
OTHER_COLUMN = {("form", "form"): "name", ("query", "table"): "table_name"}
"""Fields of changes that become a column of another name."""
_ENTRY = re.compile(r"^([a-z_][a-z0-9_]*(?:, [a-z_][a-z0-9_]*)*) : (.*)$")


def data_dictionary() -> tuple[str, int]:
    """``(text, rows)`` of the data dictionary as CSV, one row a column of the record."""
    rows = [row for table in (*schema.DATA, *schema.OWN) for row in _rows(table)]
    return delimited.to_text(COLUMNS, rows), len(rows)


def _rows(table: Any) -> Iterator[list[str]]:
    meanings = _meanings(table.name)
    for column in table.columns:
        yield [
            table.name, _tables().get(table.name, ""), column.name, type(column.type).__name__.lower(),
            "yes" if column.nullable else "no", _parent(column),
            "yes" if column.name in KEYS.get(table.name, ()) else "no", _changes(table.name, column.name),
            _allowed(table.name, column), _meaning(column, meanings),
        ]  # fmt: skip


def _meaning(column: Any, meanings: Mapping[str, str]) -> str:
    if column.name in ("id", "row_version"):
        return EVERYWHERE[column.name]
    stated = STATED.get(column.table.name, {}).get(column.name) or meanings.get(column.name)
    return stated or EVERYWHERE.get(column.name, "") or (f"row of {_parent(column)}" if _parent(column) else "")


def _parent(column: Any) -> str:
    return ", ".join(sorted(key.target_fullname for key in column.foreign_keys))


def _changes(table: str, column: str) -> str:
    """Whether a column may change: ``never`` for append-only tables and for what identifies a row."""
    own = column == "row_version" and table in schema.AMENDABLE
    return "yes" if own or column in schema.AMENDABLE.get(table, ()) else "never"


def _allowed(table: str, column: Any) -> str:
    words = CHOICES.get((table, column.name), ())
    if column.name in DATES.get(table, ()):
        return "ISO date or empty"
    if not words and type(column.type).__name__ == "Flag":
        return "0 | 1"
    return " | ".join(words)


def _meanings(table: str) -> dict[str, str]:
    own = table.removeprefix("session_") if table == "session_ledger" else table
    kinds: list[type] = [noun for noun, name in TABLES.items() if name == own]
    kinds += [Condition] if table == "assessment" else []
    kinds += [changes.ALL[name] for name in FILLED_BY.get(table, ())]
    found: dict[str, str] = {}
    for kind in kinds:
        for name, meaning in attributes(kind).items():
            found.setdefault(OTHER_COLUMN.get((table, name), name), meaning)
    return found


def attributes(kind: type) -> dict[str, str]:
    """Meaning by name, as the docstring of a class lists its attributes."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in inspect.cleandoc(kind.__doc__ or "").splitlines():
        entry = _ENTRY.match(line)
        if entry:
            names = entry[1].split(", ")
            found |= {name: [entry[2]] for name in names}
        elif line.startswith("    ") and names:
            for name in names:
                found[name].append(line.strip())
        else:
            names = []
    return {name: re.sub(r":\w+:`([^`]*)`|``", r"\1", " ".join(lines)) for name, lines in found.items()}


@cache
def _tables() -> dict[str, str]:
    """Meaning by name of the table: the text behind its definition."""
    body = ast.parse(textwrap.dedent(inspect.getsource(schema))).body
    found = {}
    for made, text in zip(body, body[1:], strict=False):
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(made, ast.Assign) and is_text and isinstance(made.targets[0], ast.Name):
            name = getattr(schema, made.targets[0].id)
            if name in schema.metadata.tables.values():
                found[name.name] = " ".join(str(text.value.value).replace("``", "").split())  # type: ignore[attr-defined]
    return found
