"""The hard lock of a study from its overview: what is missing, and the lock signed by three there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workbench import world
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study import Study, lock_conditions
from workbench.study.applying import Change
from workbench.study.changes.locking import LockStudy, UnlockStudy
from workbench.study.completeness import signed_rows
from workbench.study.concealment import Sight

OFFERED: Mapping[str, type[Change]] = {kind.__name__: kind for kind in (LockStudy, UnlockStudy)}
KEPT_FROM_BLINDED = ("queries", "unsent", "uncoded", "serious")
"""Conditions whose numbers may tell the arm of somebody."""
MOST_PEOPLE, LONGEST_TEXT = 12, 4000
"""Participants that are named of each condition, the others are counted; characters of one field."""


def conditions_of(study: Study, sight: Sight) -> list[dict[str, Any]]:
    """Conditions of the lock that the record decides, and whom what is missing is about.

    Parameters
    ----------
    study : the open record.
    sight : of who looks.

    Returns
    -------
    list
        ``{"name", "n", "people", "more"}`` each: ``n`` counts what is missing, None where that is kept from who
        looks; ``people`` are pseudonyms, those with most of it first, ``more`` how many others there are.
    """
    signed = signed_rows(row["targets"] for row in study.rows("signature"))
    names = {row["id"]: str(row["pseudonym"]) for row in study.rows("participant")}
    found = lock_conditions.conditions(
        study, world.clock.now(), signed=lambda table, row: (table, row["id"], row["row_version"]) in signed
    )
    told: list[dict[str, Any]] = []
    for one in found:
        if sight.concealed and one.name in KEPT_FROM_BLINDED:
            told.append({"name": one.name, "n": None, "people": [], "more": 0})
            continue
        people = [names[person] for person, _ in Counter(filter(None, one.people)).most_common()]
        more = max(0, len(people) - MOST_PEOPLE)
        told.append({"name": one.name, "n": one.n, "people": people[:MOST_PEOPLE], "more": more})
    return told


def carry_out(study: Study, change: str, reason: str, signers: Sequence[Mapping[str, str]]) -> Message:
    """Lock or unlock the study; the passwords are checked and forgotten. Returns the sentence for the page.

    Parameters
    ----------
    study : the open record.
    change : ``"LockStudy"`` or ``"UnlockStudy"``.
    reason : why.
    signers : ``login`` and ``password`` of each who signs.

    Raises
    ------
    Refused
        A password is not accepted, a role is missing, a condition does not hold, or the record does not verify.
    BadValue, UnknownName
        No reason, or another change. Nothing is written.
    """
    if change not in OFFERED:
        raise UnknownName(Message("participant.change", got=f"{change!r:.60}", known=list(OFFERED)))
    if not isinstance(signers, Sequence) or not all(_is_signer(one) for one in signers):
        raise BadValue(Message("participant.fields"))
    confirmed = [study.sign_in(one["login"], one["password"]).confirm(one["password"]) for one in signers]
    row = study.apply(OFFERED[change](), confirmed, str(reason)[:LONGEST_TEXT])
    if change == UnlockStudy.__name__:
        return Message("overview.unlocked")
    (snapshot,) = study.rows("snapshot", lock_event_id=row)
    return Message("overview.locked", name=snapshot["name"])


def _is_signer(one: Any) -> bool:
    wanted = {"login", "password"}
    return isinstance(one, Mapping) and set(one) == wanted and all(isinstance(text, str) for text in one.values())
