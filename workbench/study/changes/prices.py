"""Price items as their documents have them, what is charged by them or would be, and the way to reimbursement.

Rules of a price item are rows of data with their source, because provinces differ and documents are replaced. A
charge keeps its amounts: another version of the document changes none that was entered before.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal, get_args

from workbench import world
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes.corrections import Row, check_correction, standing
from workbench.study.changes.fittings import missing_steps, moment
from workbench.study.nouns import check, told
from workbench.vocabulary import EvidenceStage, Payer, PriceItemKind, PriceRuleKind

AMOUNT = re.compile(r"\d{1,9}(\.\d{1,2})?")
CURRENCY = re.compile("[A-Z]{3}")
RESEARCH = "research"
"""Why a participant is not charged whom a research fund pays for."""
CLERKS = ("coordinator", "investigator", "data_manager")
MOST_RULES = 20
KEPT_OF_A_CHARGE = (
    "visit_id", "fitting_id", "operation", "price_item_id", "performed_on", "payer", "not_charged",
)  # fmt: skip
"""Columns in which a charge that was taken back stays as it was."""


@dataclass(frozen=True, slots=True)
class PriceRule:
    """One rule of a price item.

    Attributes
    ----------
    kind : ``"not_with"``: never in one operation with an item of the kind ``item``; ``"data_reduction"``:
        ``amount`` less where the data that the document asks for are not supplied; ``"professional_only"``:
        not for products that need no professional fitting.
    source : where the rule was found.
    item, amount : as ``kind`` says, ``""`` otherwise.
    """

    kind: PriceRuleKind
    source: str
    item: PriceItemKind | Literal[""] = ""
    amount: str = ""


XIANNING = "ybj.xianning.gov.cn t20250401_3957363"
GUANGDONG = "digipub.cc KJ5EEN6505527PMU (Guangdong)"
IMPLANT_NOT_WITH_REMOVAL = PriceRule("not_with", XIANNING, item="removal")
GUANGDONG_DATA = PriceRule("data_reduction", GUANGDONG, amount="30")
PROFESSIONAL_ONLY = PriceRule("professional_only", GUANGDONG)
"""Rules that were found in price documents, for the items that are entered from these."""


@dataclass(frozen=True, slots=True)
class AddPriceItem(Change):
    """A price item of one version of a price document; ``""`` is what was not supplied.

    Attributes
    ----------
    name : official name.
    kind : what it is for.
    province : where it holds.
    document, document_version : citation and version (or date) of the price document.
    currency : three letters, as ``"CNY"``.
    cap : highest price, as ``"6600"``.
    item_code : national code.
    hospital_level : that it holds for.
    effective_from : ISO date.
    rules : of the item.
    corrects : id of the item that this one replaces because it was entered wrongly.
    """

    name: str
    kind: PriceItemKind
    province: str
    document: str
    document_version: str
    currency: str
    cap: str = ""
    item_code: str = ""
    hospital_level: str = ""
    effective_from: str = ""
    rules: tuple[PriceRule, ...] = ()
    corrects: str = ""
    ROLES: ClassVar[tuple[str, ...]] = CLERKS

    def apply(self, record: Applying) -> str:
        """Add the item."""
        if not CURRENCY.fullmatch(self.currency):
            raise BadValue(Message("price.currency", got=told(self.currency)))
        if not self.province.strip():
            raise BadValue(Message("study.no_name", table="price_item", name="province"))
        if self.cap:
            amount("cap", self.cap)
        _check_rules(self.rules)
        check_correction(record, "price_item", self.corrects)
        key = {
            "name": self.name, "province": self.province, "hospital_level": self.hospital_level,
            "document_version": self.document_version,
        }  # fmt: skip
        row_id = record.insert(
            "price_item", **key, kind=self.kind, item_code=self.item_code, document=self.document,
            effective_from=self.effective_from, cap=self.cap, currency=self.currency,
            rules=[asdict(rule) for rule in self.rules], corrects=self.corrects,
        )  # fmt: skip
        added, items = record.row("price_item", row_id), standing(record.rows("price_item"))
        if sum(all(row[name] == added[name] for name in key) for row in items) > 1:
            raise Refused(Message("price.there", name=self.name, version=self.document_version))
        return row_id


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is charged: placing or removing an implant; ``""`` is what was not supplied.

    Attributes
    ----------
    visit_id : of the visit during which it took place.
    name : tells it from another operation of the day.
    operator, licence_class : printed name of the surgeon, and class of the licence.
    province : where.
    payer : who pays.
    site, device_udi, nhsa_code, registration : as of a fitting.
    """

    visit_id: str
    name: str
    operator: str
    province: str
    payer: Payer
    site: str = ""
    licence_class: str = ""
    device_udi: str = ""
    nhsa_code: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class Charge(Change):
    """A fitting or an operation is charged by a price item, or would be.

    Attributes
    ----------
    price_item_id : by which item.
    price : before reductions, as ``"6600"``; at most the item's cap.
    performed_on : ISO date of what is charged.
    fitting_id, operation : what is charged: one of them.
    data_supplied : whether the data that the price document asks for were supplied; asked for where the item
        has a rule about it.
    not_charged : why it is not charged, ``""`` for a charge. Where a research fund pays it is ``"research"``.
    corrects : id of the charge that this one replaces.
    """

    price_item_id: str
    price: str
    performed_on: str
    fitting_id: str = ""
    operation: Operation | None = None
    data_supplied: bool | None = None
    not_charged: str = ""
    corrects: str = ""
    ROLES: ClassVar[tuple[str, ...]] = CLERKS

    def apply(self, record: Applying) -> str:
        """Add the charge, with the reductions that follow from the item's rules."""
        item = record.row("price_item", self.price_item_id)
        wanted = (True, False) if item["kind"] == "fitting" else (False, True)
        if (bool(self.fitting_id), self.operation is not None) != wanted:
            raise BadValue(Message("price.what", kind=item["kind"]))
        charged = _operation(self.operation) if self.operation else _fitting(record, self, item)
        _check_item(record, self, item, charged)
        check_correction(record, "charge", self.corrects, visit_id=charged["visit_id"])
        _refuse_beside(record, self, item, charged)
        price = amount("price", self.price)
        reductions = _reductions(record, self, item, charged)
        left = price - sum((Decimal(one["amount"]) for one in reductions), Decimal(0))
        if left < 0:
            raise BadValue(Message("price.below_zero", price=self.price))
        research = RESEARCH if charged["payer"] == "research_fund" else ""
        return record.insert(
            "charge", visit_id=charged["visit_id"], fitting_id=self.fitting_id,
            operation=charged if self.operation else {}, price_item_id=self.price_item_id,
            performed_on=self.performed_on, price=self.price, reductions=reductions, amount=str(left),
            payer=charged["payer"], not_charged=self.not_charged or research, taken_back=False,
            corrects=self.corrects,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TakeBackCharge(Change):
    """A charge that should not be there is replaced by one of 0, whatever became of its item and its fitting.

    Attributes
    ----------
    charge_id : of the charge that is taken back.
    """

    charge_id: str
    ROLES: ClassVar[tuple[str, ...]] = CLERKS

    def apply(self, record: Applying) -> str:
        """Add the row of 0. Raises BadValue without a reason, Refused for a charge that was replaced."""
        row = record.row("charge", self.charge_id)
        check_correction(record, "charge", self.charge_id)
        kept = {name: row[name] for name in KEPT_OF_A_CHARGE}
        return record.insert(
            "charge", **kept, price="0", reductions=[], amount="0", taken_back=True, corrects=self.charge_id
        )


@dataclass(frozen=True, slots=True)
class RecordEvidenceStep(Change):
    """A product has come one step further: approval of its dossier, its code, the decision to reimburse it.

    Attributes
    ----------
    stage : which step.
    product : name of the product.
    decided_on : ISO date of the decision.
    document, sha256 : citation and hash of the document that says so.
    province : where the decision holds, ``""`` for not supplied.
    reference : number or code that was given, ``""`` for not supplied.
    corrects : id of the entry that this one replaces.
    """

    stage: EvidenceStage
    product: str
    decided_on: str
    document: str
    sha256: str
    province: str = ""
    reference: str = ""
    corrects: str = ""
    ROLES: ClassVar[tuple[str, ...]] = CLERKS

    def apply(self, record: Applying) -> str:
        """Add the step."""
        check_correction(record, "evidence_step", self.corrects)
        row_id = record.insert(
            "evidence_step", stage=self.stage, product=self.product, province=self.province,
            decided_on=self.decided_on, reference=self.reference, document=self.document, sha256=self.sha256,
            corrects=self.corrects,
        )  # fmt: skip
        _refuse_no_day("decided_on", self.decided_on)
        return row_id


def amount(name: str, text: str) -> Decimal:
    """An amount of money that was entered as text. Raises BadValue."""
    if not (isinstance(text, str) and AMOUNT.fullmatch(text)):
        raise BadValue(Message("price.amount", name=name, got=f"{text!r:.40}"))
    return Decimal(text)


def _check_rules(rules: tuple[PriceRule, ...]) -> None:
    if len(rules) > MOST_RULES:
        raise BadValue(Message("price.rules", most=MOST_RULES, n=len(rules)))
    for rule in rules:
        # Compared as the kinds have them: a rule with a part that it does not use would seem to say more.
        parts = (rule.item in get_args(PriceItemKind), bool(rule.amount))
        wanted = {"not_with": (True, False), "data_reduction": (False, True), "professional_only": (False, False)}
        if parts != wanted.get(rule.kind) or not rule.source.strip():
            raise BadValue(Message("price.rule", got=f"{rule!r:.200}"))
        if rule.amount:
            amount("amount", rule.amount)


def _rule(item: Row, kind: PriceRuleKind) -> Row | None:
    return next((rule for rule in item["rules"] if rule["kind"] == kind), None)


def _operation(operation: Operation) -> Row:
    """What is charged, of an operation that is described with the charge."""
    described = asdict(operation)
    check("charge", described)
    return described


def _fitting(record: Applying, change: Charge, item: Row) -> Row:
    """What is charged, of a fitting: complete, of that day, and of a product that may be charged."""
    fitting = record.row("fitting", change.fitting_id)
    steps = standing(record.rows("fitting_step", fitting_id=change.fitting_id))
    if missing := missing_steps(steps):
        raise Refused(Message("price.steps_missing", steps=missing))
    if fitting["state"] != "complete":
        raise Refused(Message("price.fitting_draft"))
    rule = _rule(item, "professional_only")
    if rule and fitting["professional"] != "yes":
        raise Refused(Message("price.professional", got=told(fitting["professional"]), source=rule["source"]))
    day = _refuse_no_day("performed_on", change.performed_on)
    first = min(moment(step["started"]) for step in steps).date()
    # The steps bear UTC and the charge a local date.
    if abs(day - first) > timedelta(days=1):
        raise BadValue(Message("price.other_day", got=change.performed_on, utc=first.isoformat()))
    return fitting


def _check_item(record: Applying, change: Charge, item: Row, charged: Row) -> None:
    """The item holds there and then, and the price is within it."""
    day = _refuse_no_day("performed_on", change.performed_on)
    if record.rows("price_item", corrects=item["id"]):
        raise Refused(Message("price.replaced", name=item["name"]))
    if charged["province"] != item["province"]:
        got = charged["province"] or Message("price.not_supplied")
        raise Refused(Message("price.province", item=item["province"], got=got))
    if item["effective_from"] and day < date.fromisoformat(item["effective_from"]):
        raise Refused(Message("price.not_yet", start=item["effective_from"], got=change.performed_on))
    if not charged["payer"]:
        raise Refused(Message("price.payer"))
    if item["cap"] and amount("price", change.price) > Decimal(item["cap"]):
        raise BadValue(Message("price.cap", cap=item["cap"], currency=item["currency"], got=change.price))


def _refuse_beside(record: Applying, change: Charge, item: Row, charged: Row) -> None:
    """Refuse what another charge of the same fitting or operation excludes."""
    participant_id = record.participant_of("visit", charged["visit_id"])
    visits = record.rows("visit", participant_id=participant_id)
    rows = standing([row for visit in visits for row in record.rows("charge", visit_id=visit["id"])])
    for row in rows:
        if row["id"] == change.corrects or row["taken_back"] or not _together(record, change, row):
            continue
        other = record.row("price_item", row["price_item_id"])
        if other["kind"] == item["kind"]:
            raise Refused(Message("price.twice", name=other["name"]))
        source = _excludes(item, other) or _excludes(other, item)
        if source:
            raise Refused(Message("price.not_with", first=other["name"], second=item["name"], source=source))


def _together(record: Applying, change: Charge, row: Row) -> bool:
    """Whether a charge is of the same fitting or operation as a new one."""
    if change.operation is None or not row["operation"]:
        return bool(change.fitting_id) and row["fitting_id"] == change.fitting_id
    if row["performed_on"] != change.performed_on:
        return False
    name, other = change.operation.name, row["operation"]["name"]
    same = _folded(name) == _folded(other)
    # Two operations of one day are rare; another spelling of one operation is not.
    if not same and not record.reason.strip():
        raise BadValue(Message("price.second_operation", first=other, second=name))
    return same


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _excludes(item: Row, other: Row) -> str:
    """Source of the rule by which an item is not charged with another one, ``""`` for none."""
    rules = (rule for rule in item["rules"] if rule["kind"] == "not_with" and rule["item"] == other["kind"])
    return next((str(rule["source"]) for rule in rules), "")


def _reductions(record: Applying, change: Charge, item: Row, charged: Row) -> list[dict[str, Any]]:
    rule = _rule(item, "data_reduction")
    if rule is None:
        return []
    if change.data_supplied is None:
        raise BadValue(Message("price.data_unknown", amount=rule["amount"], currency=item["currency"]))
    if not change.data_supplied:
        return [{"amount": rule["amount"], "why": Message("price.data_missing"), "source": rule["source"]}]
    receipts = standing(record.rows("upload_receipt", visit_id=charged["visit_id"]))
    if not any(change.fitting_id in ("", receipt["fitting_id"]) for receipt in receipts):
        raise Refused(Message("price.no_receipt"))
    return []


def _refuse_no_day(name: str, text: str) -> date:
    """A date of today or earlier, by this computer's calendar. Raises BadValue."""
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = date.max
    if day > world.clock.local().date():
        raise BadValue(Message("price.day", name=name, got=f"{text!r:.40}"))
    return day
