"""Minutes of fittings, charges and shadow billing, read from the record: for health economics, and no invoice.

What was not supplied stays missing. Sums are kept by currency, and what was not charged apart from what was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workbench.errors import UnknownName
from workbench.messages import Message
from workbench.study.changes.corrections import Row, standing
from workbench.study.changes.fittings import STEPS, missing_steps, moment

if TYPE_CHECKING:
    from workbench.study.record import Study

NHSA_CODE = re.compile("C[0-9A-Za-z]{26}")
"""Form of a consumable code as it is remembered, not read in a source: another one is a warning and no error."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """One fitting with its times; ``""`` and None are what was not supplied.

    Attributes
    ----------
    participant, visit : pseudonym, and name of the visit.
    state : ``"complete"`` once all eight steps have times and somebody has completed it.
    started, ended : first and last moment of a step, UTC.
    minutes : covered by steps, those that overlap counted once.
    equipment_preparation_min, … : of each step, min; None without times.
    missing : steps without times.
    n_uploads : receipts of it.
    simulated : the participant is.
    participant_id, visit_id, session_id, id : of the record.

    The others are the columns of ``fitting``.
    """

    participant: str
    visit: str
    state: str
    started: str
    ended: str
    minutes: float | None
    equipment_preparation_min: float | None
    electrode_placement_min: float | None
    acquisition_min: float | None
    algorithm_debugging_min: float | None
    function_verification_min: float | None
    data_analysis_min: float | None
    system_optimisation_min: float | None
    data_upload_min: float | None
    missing: tuple[str, ...]
    n_uploads: int
    site: str
    province: str
    operator: str
    licence_class: str
    device_udi: str
    nhsa_code: str
    registration: str
    professional: str
    payer: str
    decoder_sha256: str
    recordings: Sequence[str]
    channels: int | None
    fs: float | None
    calibration_min: float | None
    impedance_before_kohm: Mapping[str, float]
    impedance_after_kohm: Mapping[str, float]
    function_test: str
    simulated: bool
    participant_id: str
    visit_id: str
    session_id: str
    id: str


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One charge with the version of the price document that it rests on; amounts are decimal numbers as text.

    Attributes
    ----------
    performed_on : date of the fitting or operation.
    item, item_code, kind, province, hospital_level, document, document_version, cap, currency : of the price
        item.
    price, reductions, amount : before reductions; these, as ``amount``, ``why``, ``source``; and after them.
    payer, not_charged : who pays, and why it is not charged, ``""`` for a charge.
    fitting_id, operation : what is charged.
    id : of the charge.
    """

    performed_on: str
    item: str
    item_code: str
    kind: str
    province: str
    hospital_level: str
    document: str
    document_version: str
    cap: str
    currency: str
    price: str
    reductions: Sequence[Mapping[str, str]]
    amount: str
    payer: str
    not_charged: str
    fitting_id: str
    operation: Mapping[str, str]
    id: str


@dataclass(frozen=True, slots=True)
class StableControl:
    """A criterion of stable control, which the protocol has to give: there is none by default.

    Attributes
    ----------
    text : as it is to be printed.
    holds : whether it holds after these complete fittings of one participant, oldest first.
    """

    text: str
    holds: Callable[[Sequence[Fitting]], bool]


@dataclass(frozen=True, slots=True)
class CostSheet:
    """What fittings and operations of one participant took and cost.

    Attributes
    ----------
    participant, simulated : pseudonym, and whether the participant is simulated.
    fittings, charges : oldest first.
    n_complete : number of complete fittings; the means below are over these.
    minutes_per_fitting : mean, None without a complete fitting.
    minutes_per_step : mean by step; empty without one.
    charged, shadow : sum by currency of what was charged, and of what would have been.
    criterion : of stable control, ``""`` where none was supplied and nothing computed.
    fittings_until_stable : complete fittings until the criterion held for the first time; None for not computed
        or not reached.
    warnings : about codes that look unusual.
    """

    participant: str
    simulated: bool
    fittings: Sequence[Fitting]
    charges: Sequence[ChargeLine]
    n_complete: int
    minutes_per_fitting: float | None
    minutes_per_step: Mapping[str, float]
    charged: Mapping[str, str]
    shadow: Mapping[str, str]
    criterion: str
    fittings_until_stable: int | None
    warnings: Sequence[str]


def fittings(study: Study) -> list[Fitting]:
    """Every fitting of a record, in the order of its participants and times."""
    people = {row["id"]: row for row in study.rows("participant")}
    visits = {row["id"]: row for row in study.rows("visit")}
    steps = _by(study.rows("fitting_step"), "fitting_id")
    receipts = _by(standing(study.rows("upload_receipt")), "fitting_id")
    found = []
    for row in study.rows("fitting"):
        visit = visits[row["visit_id"]]
        timed = standing(steps.get(row["id"], ()))
        place = {"visit": visit["name"], "n_uploads": len(receipts.get(row["id"], ()))}
        found.append(_fitting(row, people[visit["participant_id"]], timed, place))
    order = list(people)
    # Stable: a fitting without times keeps its place of entry, after those with times.
    return sorted(found, key=lambda one: (order.index(one.participant_id), one.started or "9"))


def sheets(study: Study, participant: str = "", *, stable: StableControl | None = None) -> list[CostSheet]:
    """The cost sheet of each participant who has a fitting or a charge, or of one participant.

    Parameters
    ----------
    study : the open record.
    participant : pseudonym, ``""`` for all.
    stable : criterion of stable control; without one nothing is computed about it.

    Raises
    ------
    UnknownName
        No such participant.
    """
    people = {row["pseudonym"]: row for row in study.rows("participant")}
    if participant and participant not in people:
        raise UnknownName(Message("price.no_participant", got=repr(participant), known=list(people)))
    fitted, charges = fittings(study), _charges(study)
    return [
        _sheet(person, [one for one in fitted if one.participant == name], charges.get(person["id"], []), stable)
        for name, person in people.items()
        if participant in ("", name)
        and (participant or person["id"] in charges or any(one.participant == name for one in fitted))
    ]


def evidence(study: Study) -> list[dict[str, Any]]:
    """Steps of the products to reimbursement that stand, by product and in the order of their dates."""
    names = ("product", "stage", "decided_on", "province", "reference", "document", "sha256")
    rows = sorted(standing(study.rows("evidence_step")), key=lambda row: (row["product"], row["decided_on"]))
    return [{name: row[name] for name in names} for row in rows]


def code_warning(nhsa_code: str) -> Message | None:
    """What is unusual about a consumable code; None for a usual one or none."""
    unusual = nhsa_code and not NHSA_CODE.fullmatch(nhsa_code)
    return Message("fitting.nhsa_code", code=nhsa_code) if unusual else None


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row[column]), []).append(row)
    return found


def _fitting(row: Row, person: Row, steps: Sequence[Row], place: Mapping[str, Any]) -> Fitting:
    of_step = _by(steps, "step")
    missing = tuple(missing_steps(steps))
    columns = {name: row[name] for name in Fitting.__dataclass_fields__ if name in row}
    ends = [(moment(step["started"]), moment(step["ended"]), step) for step in steps]
    # An amendment may have closed a draft whose steps have no times: it is no complete fitting.
    computed: dict[str, Any] = {
        "state": "draft" if missing else row["state"],
        "started": min(ends, key=lambda one: one[0])[2]["started"] if ends else "",
        "ended": max(ends, key=lambda one: one[1])[2]["ended"] if ends else "",
        "minutes": _minutes(steps),
        **{f"{step}_min": _minutes(of_step.get(step, ())) for step in STEPS},
        "missing": missing,
        "participant": person["pseudonym"],
        "participant_id": person["id"],
        "simulated": person["simulated"],
    }
    return Fitting(**{**columns, **computed, **place})


def _minutes(steps: Sequence[Row]) -> float | None:
    """Length of the time that the steps cover, min; None without steps."""
    if not steps:
        return None
    seconds, until = 0.0, None
    for start, end in sorted((moment(step["started"]), moment(step["ended"])) for step in steps):
        begin = start if until is None else max(start, until)
        seconds += max((end - begin).total_seconds(), 0.0)
        until = end if until is None else max(end, until)
    return seconds / 60


def _charges(study: Study) -> dict[str, list[ChargeLine]]:
    """Charges that stand, by id of the participant."""
    owner = {row["id"]: row["participant_id"] for row in study.rows("visit")}
    items = {row["id"]: row for row in study.rows("price_item")}
    found: dict[str, list[ChargeLine]] = {}
    for row in sorted(standing(study.rows("charge")), key=lambda row: str(row["performed_on"])):
        item = items[row["price_item_id"]]
        both = {**item, **row, "item": item["name"]}
        line = ChargeLine(**{name: both[name] for name in ChargeLine.__dataclass_fields__})
        found.setdefault(owner[row["visit_id"]], []).append(line)
    return found


def _sheet(
    person: Row, fitted: Sequence[Fitting], charges: Sequence[ChargeLine], stable: StableControl | None
) -> CostSheet:
    complete = [one for one in fitted if one.state == "complete"]
    codes = [one.nhsa_code for one in fitted] + [line.operation["nhsa_code"] for line in charges if line.operation]
    return CostSheet(
        participant=person["pseudonym"],
        simulated=person["simulated"],
        fittings=fitted,
        charges=charges,
        n_complete=len(complete),
        minutes_per_fitting=_mean(complete, "minutes") if complete else None,
        minutes_per_step={step: _mean(complete, f"{step}_min") for step in STEPS if complete},
        charged=_sums(line for line in charges if not line.not_charged),
        shadow=_sums(line for line in charges if line.not_charged),
        criterion=stable.text if stable else "",
        fittings_until_stable=_until(complete, stable) if stable else None,
        warnings=[warning for code in dict.fromkeys(codes) if (warning := code_warning(code))],
    )


def _until(complete: Sequence[Fitting], stable: StableControl) -> int | None:
    return next((n for n in range(1, len(complete) + 1) if stable.holds(complete[:n])), None)


def _mean(complete: Sequence[Fitting], name: str) -> float:
    # A complete fitting has times for every step.
    return float(sum(getattr(one, name) for one in complete) / len(complete))


def _sums(lines: Iterable[ChargeLine]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, Decimal(0)) + Decimal(line.amount)
    return {currency: str(total) for currency, total in sums.items()}
