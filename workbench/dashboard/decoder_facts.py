"""Decoders of the record in words: how old they are, what was decided on them, and which others there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workbench import decoders, world
from workbench.dashboard.results import signer_of
from workbench.dashboard.worklist_rows import short
from workbench.messages import Message
from workbench.study import Study


def has_centre(decoder: Mapping[str, Any]) -> bool:
    """Whether a decoder of the record has a centre that can be moved; of several streams, that of the signal."""
    name, metrics = str(decoder["name"]), decoder["metrics"]
    if name in decoders.JOINT_RULES:
        if "recentred" in metrics:
            return True
        name = str(metrics["params"]["members"]["signal"]["decoder"])
    return name in decoders.available() and decoders.load(name).has_centre


def days_since(utc: str) -> int:
    """Whole days since a UTC time, 0 when it is not known."""
    if not utc:
        return 0
    return max(0, (world.clock.now() - datetime.fromisoformat(utc)).days)


def _local(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M") if utc else ""


def decision_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A decision on a decoder, by whom, when in local time, and why."""
    return {"decision": row["decision"], "by": signer_of(row), "at": _local(row["utc"]), "reason": row["reason"]}


def decoder_fact(decoder: Mapping[str, Any] | None) -> dict[str, Any]:
    """Which decoder is in use and how old it is, for the facts of a page; None for none."""
    if decoder is None:
        return {"name": "decoder", "key": "worklist.no_decoder", "args": {}}
    days = days_since(decoder["fitted_at"])
    key = "worklist.decoder" if days else "worklist.decoder_today"
    return {"name": "decoder", "key": key, "args": {"hash": short(decoder["sha256"]), "days": days}}


def _age(utc: str) -> str:
    """How old something of a UTC time is, ``""`` when that is not known."""
    if not utc:
        return ""
    minutes = max(0, int((world.clock.now() - datetime.fromisoformat(utc)).total_seconds() // 60))
    if minutes < 60:
        return Message("approval.age_min", n=minutes)
    return (
        Message("approval.age_h", n=minutes // 60)
        if minutes < 24 * 60
        else Message("approval.age_d", n=days_since(utc))
    )


def _decided(study: Study, row: Mapping[str, Any]) -> Message:
    """What was decided on a decoder, by whom and why; of an approved one how often it was used."""
    if row["decision"] == "approve":
        used = len(study.rows("run", kind="online", decoder_sha256=row["decoder_sha256"]))
        return Message("approval.used", decided=Message("approval.approved_by", by=signer_of(row)), n=used)
    if row["decision"] == "reject":
        return Message("approval.rejected_by", by=signer_of(row), why=row["reason"])
    return Message("approval.withdrawn_by", by=signer_of(row), why=row["reason"])


def others(study: Study, person_id: str, sha256: str, in_use: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """The participant's decoders, newest first: this one, those that wait, and what was decided on each other.

    Parameters
    ----------
    study : the open record.
    person_id : whose.
    sha256 : the one that is shown.
    in_use : row of the one that online runs use, None for none.
    """
    # Oldest first, so that the newest decision on each decoder is the one that stays.
    decided = {row["decoder_sha256"]: row for row in study.approvals(participant_id=person_id)}
    waiting = {row["sha256"] for row in study.decoders_awaiting(person_id)}
    rows = []
    for row in reversed(study.rows("decoder")):
        other = row["sha256"]
        if other == sha256:
            state, text = "dot", Message("approval.this_one", accuracy=_accuracy(row))
        elif other in decided:
            state = "ok" if decided[other]["decision"] == "approve" else "off"
            text = _decided(study, decided[other])
            if in_use is not None and other == in_use["sha256"]:
                text = Message("approval.in_use", accuracy=_accuracy(row), decided=text)
        elif other in waiting:
            state, text = "dot", Message("approval.waits", accuracy=_accuracy(row))
        else:
            continue
        rows.append({"hash": short(other), "state": state, "age": _age(row["fitted_at"]), "text": text})
    return rows


def _accuracy(decoder: Mapping[str, Any]) -> str:
    value = decoder["metrics"].get("accuracy")
    return "—" if value is None else f"{100 * value:.0f} %"
