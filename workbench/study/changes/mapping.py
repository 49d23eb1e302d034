"""The map of a lead: which contact moves which muscle, kept as it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.stimulation import Channel as _Channel
from workbench.stimulation import ElectrodeLimits, Programme, from_definition
from workbench.study.applying import Applying, Change
from workbench.study.nouns import told

MAPPERS = ("investigator", "therapist", "operator", "engineer")
PARTS = ("plan", "contacts", "skipped", "hot_spots", "charge_uc", "minutes")
"""Parts of a result that must be there."""


@dataclass(frozen=True, slots=True)
class RecordContactMap(Change):
    """A lead was mapped at a visit, under the limits of its electrode model that were in force.

    Attributes
    ----------
    visit_id : at which.
    limits_sha256 : of the limits of stimulation under which it was measured.
    result : as ``workbench.runs.mapping`` gives it: plan, curves of each contact, hot-spots, charge, minutes.
    source : what was driven: names of the devices, ``simulated`` true or false, hashes of model and person.
    """

    visit_id: str
    limits_sha256: str
    result: Mapping[str, Any]
    source: Mapping[str, Any]
    ROLES: ClassVar[tuple[str, ...]] = MAPPERS

    def apply(self, record: Applying) -> str:
        """Add the map, with electrode and version of the limits."""
        limits = _limits(record, self.limits_sha256)
        _check(self.result, limits)
        person = record.row("participant", record.participant_of("visit", self.visit_id))
        simulated = self.source.get("simulated")
        if not isinstance(simulated, bool) or not self.source.get("stimulator"):
            raise BadValue(Message("contact_map.source"))
        # A simulated body says nothing about a person.
        if simulated and not person["simulated"]:
            raise Refused(Message("contact_map.not_simulated", participant=person["pseudonym"]))
        plan = self.result["plan"]
        return record.insert(
            "contact_map", visit_id=self.visit_id, electrode=limits.electrode, lead=str(plan["lead"]),
            limits_version=limits.version, limits_sha256=limits.sha256, simulated=simulated,
            minutes=float(self.result["minutes"]), hot_spots=list(self.result["hot_spots"]),
            result=dict(self.result), source=dict(self.source),
        )  # fmt: skip


def _limits(record: Applying, sha256: str) -> ElectrodeLimits:
    """The limits of that hash, which must be the newest of their electrode."""
    rows = record.rows("stimulation_limits", sha256=sha256)
    if not rows:
        raise Refused(Message("contact_map.no_limits", hash=f"{told(sha256)[:12]}"))
    electrode = rows[0]["electrode"]
    newest = max(record.rows("stimulation_limits", electrode=electrode), key=lambda row: row["version"])
    if newest["sha256"] != sha256:
        raise Refused(Message("contact_map.old_limits", electrode=electrode, n=newest["version"]))
    return from_definition(newest["definition"])


def _check(result: Mapping[str, Any], limits: ElectrodeLimits) -> None:
    """Refuse a result that is none, or in which more flowed than the limits allow."""
    if not isinstance(result, Mapping) or any(part not in result for part in PARTS):
        raise BadValue(Message("contact_map.parts", needed=list(PARTS)))
    try:
        plan, contacts = result["plan"], result["contacts"]
        done = {one["contact"] for one in contacts} | {int(n) for n in result["skipped"]}
        measured = [float(ma) for one in contacts for ma in one["currents_ma"]]
        chosen = [one for one in result["hot_spots"] if one["contact"] is not None]
        # A programme of it must be one.
        channels = [
            _Channel(one["muscle"], plan["electrode"], plan["lead"], (one["contact"],), (), one["current_ma"],
                     plan["width_us"], 1.0)
            for one in chosen
        ]  # fmt: skip
        _ = Programme("map", tuple(channels)) if channels else None
        minutes, most = float(result["minutes"]), max([*measured, *(c.approved_ma for c in channels)], default=0.0)
        width = float(plan["width_us"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadValue(Message("contact_map.wrong", why=f"{error!s:.80}")) from error
    if plan["electrode"] != limits.electrode or done != set(range(limits.contacts)) or not isfinite(minutes):
        raise BadValue(Message("contact_map.contacts", electrode=limits.electrode, n=limits.contacts))
    for name, value, limit, unit in (
        ("current_ma", most, limits.limits["current_ma"], "mA"),
        ("charge_uc", most * width / 1000.0, limits.limits["charge_uc"], "µC"),
    ):
        if value > limit * (1 + 1e-9):
            raise Refused(
                Message("contact_map.above", rule=name, value=f"{value:g} {unit}", limit=f"{limit:g} {unit}")
            )
