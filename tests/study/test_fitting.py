"""Fittings, uploads, price items and charges: what is refused, what stays as it was, what is never filled in."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.study import costs, verify
from workbench.study.changes import (
    AddPriceItem,
    BeginFitting,
    Charge,
    CompleteFitting,
    Freeze,
    GiveConsent,
    RecordEvidenceStep,
    RecordUpload,
    RegisterConsentDocument,
    TakeBackCharge,
    TimeFittingStep,
    Unfreeze,
    WithdrawConsent,
)
from workbench.study.changes.fittings import STEPS, missing_steps
from workbench.study.changes.prices import (
    GUANGDONG_DATA,
    IMPLANT_NOT_WITH_REMOVAL,
    PROFESSIONAL_ONLY,
    Operation,
    PriceRule,
)
from workbench.vocabulary import Participant, Visit

TABLES = ("fitting", "fitting_step", "upload_receipt", "price_item", "charge", "evidence_step")
DAY = "2026-03-01"
SHA = "c" * 64
IMPLANT = AddPriceItem(
    "侵入式脑机接口置入费", "implant", "Guangdong", "price document", "2025", "CNY", cap="6600",
    rules=(IMPLANT_NOT_WITH_REMOVAL, GUANGDONG_DATA),
)  # fmt: skip
REMOVAL = AddPriceItem("侵入式脑机接口取出费", "removal", "Guangdong", "price document", "2025", "CNY", cap="3200")


def at(minute):
    return f"2026-03-01T08:{minute:02d}:00Z"


def made(study, change, reason=""):
    return study.apply(change, study.script_signer("Dr B"), reason)


def begin(study, **more):
    facts = {"province": "Guangdong", "professional": "yes", "payer": "self", **more}
    return made(study, BeginFitting(facts.pop("visit_id", study.ids["visit"]), "Therapist T", **facts))


def timed(study, fitting, steps=STEPS):
    for n, step in enumerate(steps):
        made(study, TimeFittingStep(fitting, step, at(5 * n), at(5 * n + 5)))


def fitted(study, **more):
    fitting = begin(study, **more)
    timed(study, fitting)
    return made(study, CompleteFitting(fitting, function_test="passed"))


def upload(study, **more):
    facts = {"what": "ECoG", "sent": at(50), "n_bytes": 5, "sha256": SHA, "recipient": "registry", **more}
    return RecordUpload(study.ids["visit"], **facts)


def operation(study, name="left side", **more):
    return Operation(study.ids["visit"], name, "Dr S", "Guangdong", "insurance", **more)


def left(study):
    return study.head(), {table: study.count(table) for table in TABLES}


# ------------------------------------------------------------------------------ fittings
@pytest.mark.parametrize("step", STEPS)
def test_a_fitting_without_all_eight_timed_steps_is_not_complete_and_not_charged(study, step):
    fitting = begin(study)
    timed(study, fitting, [one for one in STEPS if one != step])
    before = left(study)
    with pytest.raises(Refused, match=f"not complete: {step} have no times"):
        made(study, CompleteFitting(fitting))
    with pytest.raises(Refused, match=f"once all eight steps have times; {step} have none"):
        made(study, Charge(study.ids["price_item"], "900", DAY, fitting, data_supplied=False))
    assert left(study) == before
    assert study.get("fitting", fitting)["state"] == "draft"


def test_a_draft_that_somebody_amends_to_complete_is_none(study):
    fitting = begin(study)
    study.amend("fitting", fitting, {"state": "complete"}, reason="in a hurry")
    with pytest.raises(Refused, match="all eight steps"):
        made(study, Charge(study.ids["price_item"], "900", DAY, fitting, data_supplied=False))
    assert next(one for one in costs.fittings(study) if one.id == fitting).state == "draft"


def test_a_fitting_whose_steps_are_timed_is_charged_only_once_it_was_completed(study):
    fitting = begin(study)
    timed(study, fitting)
    charge = Charge(study.ids["price_item"], "900", DAY, fitting, data_supplied=False)
    with pytest.raises(Refused, match="draft"):
        made(study, charge)
    made(study, CompleteFitting(fitting))
    made(study, charge)
    assert verify(study.folder).ok


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (at(9), at(8), "before its start"),
        (at(8) + "x", at(9), "moment in UTC"),
        (at(8), "2026-03-01T08:09:00+08:00", "moment in UTC"),
        (at(8), "", "moment in UTC"),
        (at(8), 9, "moment in UTC"),
        (at(8), "2999-01-01T00:00:00Z", "lies after it"),
    ],
)
def test_a_step_that_ends_before_it_starts_or_has_no_time_leaves_nothing(study, start, end, why):
    fitting = begin(study)
    before = left(study)
    with pytest.raises(BadValue, match=why):
        made(study, TimeFittingStep(fitting, "acquisition", start, end))
    assert left(study) == before


def test_a_step_may_take_no_time_and_may_be_repeated(study):
    fitting = begin(study)
    made(study, TimeFittingStep(fitting, "acquisition", at(1), at(1)))
    made(study, TimeFittingStep(fitting, "acquisition", at(3), at(5)))
    (found,) = (one for one in costs.fittings(study) if one.id == fitting)
    assert (found.acquisition_min, found.minutes, found.data_upload_min) == (2.0, 2.0, None)


def test_a_complete_fitting_takes_corrections_with_a_reason_and_keeps_all_its_steps(study):
    fitting = fitted(study)
    row = study.rows("fitting_step", fitting_id=fitting)[0]
    with pytest.raises(Refused, match="this fitting is complete"):
        made(study, TimeFittingStep(fitting, "acquisition", at(1), at(2)))
    with pytest.raises(Refused, match="this fitting is complete"):
        made(study, CompleteFitting(fitting))
    with pytest.raises(BadValue, match="needs a reason"):
        made(study, TimeFittingStep(fitting, row["step"], at(0), at(4), corrects=row["id"]))
    with pytest.raises(Refused, match="keeps its step"):
        made(study, TimeFittingStep(fitting, "data_upload", at(0), at(4), corrects=row["id"]), "misread")
    made(study, TimeFittingStep(fitting, row["step"], at(0), at(4), corrects=row["id"]), "misread")
    with pytest.raises(Refused, match="corrected already"):
        made(study, TimeFittingStep(fitting, row["step"], at(0), at(3), corrects=row["id"]), "misread")
    (found,) = (one for one in costs.fittings(study) if one.id == fitting)
    assert (found.equipment_preparation_min, found.state) == (4.0, "complete")
    assert missing_steps(study.rows("fitting_step", fitting_id=fitting)) == []
    with pytest.raises(RecordFault, match="append-only"):
        study.amend("fitting_step", row["id"], {"ended": at(3)}, reason="x")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (CompleteFitting("{id}", "xyz"), "decoder_sha256"),
        (CompleteFitting("{id}", recordings=("xyz",)), "64 hexadecimal"),
        (CompleteFitting("{id}", channels=0), "above 0"),
        (CompleteFitting("{id}", channels=2.5), "integer"),
        (CompleteFitting("{id}", fs=float("nan")), "above 0"),
        (CompleteFitting("{id}", calibration_min=-1.0), "above 0"),
        (CompleteFitting("{id}", impedance_after_kohm={"C3": -1.0}), "kΩ"),
        (CompleteFitting("{id}", impedance_after_kohm={"C3": "low"}), "kΩ"),
        (CompleteFitting("{id}", function_test="fine"), "function_test"),
        (TimeFittingStep("{id}", "lunch", at(1), at(2)), "step of a fitting_step"),
        (TimeFittingStep("nobody", "acquisition", at(1), at(2)), "no fitting"),
        (BeginFitting("nobody", "T"), "no visit"),
        (BeginFitting("{visit}", " "), "operator"),
        (BeginFitting("{visit}", "T", payer="uncle"), "payer"),
        (BeginFitting("{visit}", "T", nhsa_code="C1\n2"), "visible characters"),
        (BeginFitting("{visit}", "T", site="x" * 201), "at most 200"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_leaves_nothing(study, change, why):
    fitting = begin(study)
    timed(study, fitting)
    (first, value), *_ = ((f.name, getattr(change, f.name)) for f in dataclasses.fields(change))
    change = dataclasses.replace(change, **{first: value.format(id=fitting, visit=study.ids["visit"])})
    before = left(study)
    with pytest.raises((BadValue, UnknownName), match=why):
        made(study, change)
    assert left(study) == before


def test_session_and_recordings_of_another_participant_are_refused(study):
    other = study.append(Visit(study.append(Participant("P02", simulated=True)), "baseline"))
    with pytest.raises(Refused, match="session belongs to another visit"):
        begin(study, visit_id=other, session_id=study.ids["session"])
    fitting = begin(study, visit_id=other)
    timed(study, fitting)
    with pytest.raises(Refused, match="belongs to another participant"):
        made(study, CompleteFitting(fitting, recordings=(study.ids["recording_sha256"],)))
    with pytest.raises(Refused, match="fitting belongs to another visit"):
        made(study, upload(study, fitting_id=fitting))


# ------------------------------------------------------------------------------ uploads
def test_an_upload_after_a_withdrawn_consent_is_refused_and_nothing_is_written(study):
    receipt = study.get("upload_receipt", made(study, upload(study)))
    assert receipt["consent_id"] == study.ids["consent"]
    made(study, WithdrawConsent(study.ids["participant"], ("upload",), DAY))
    before = left(study)
    with pytest.raises(Refused, match="no consent to upload is in force"):
        made(study, upload(study))
    assert left(study) == before
    made(study, RegisterConsentDocument("2.2", SHA))
    again = made(study, GiveConsent(study.ids["participant"], ("upload",), "2.2", DAY))
    assert study.get("upload_receipt", made(study, upload(study)))["consent_id"] == again


def test_an_upload_from_before_the_consent_is_refused(study):
    made(study, upload(study, sent="2026-02-28T23:00:00Z"))  # in China that is the day of the consent
    with pytest.raises(Refused, match="before the consent"):
        made(study, upload(study, sent="2026-02-28T09:00:00Z"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"n_bytes": 0}, "at least 1 byte"),
        ({"n_bytes": "5"}, "integer"),
        ({"sha256": ""}, "64 hexadecimal"),
        ({"recipient": ""}, "recipient"),
        ({"what": " "}, "what"),
        ({"sent": DAY}, "moment in UTC"),
        ({"sent": "2999-01-01T00:00:00Z"}, "lies after it"),
    ],
)
def test_a_receipt_that_lacks_a_part_is_refused(study, wrong, why):
    before = left(study)
    with pytest.raises(BadValue, match=why):
        made(study, upload(study, **wrong))
    assert left(study) == before


# ------------------------------------------------------------------------------ price items and charges
def test_implant_and_removal_are_not_charged_in_the_same_operation_in_either_order(study):
    implant, removal = made(study, IMPLANT), made(study, REMOVAL)
    for first, second, name in ((implant, removal, "left side"), (removal, implant, "right side")):
        more = {"operation": operation(study, name), "data_supplied": False}
        made(study, Charge(first, "3000", DAY, **more), "revision")
        before = left(study)
        spelt = {**more, "operation": operation(study, f" {name.upper()} ")}
        with pytest.raises(Refused, match="not charged in the same operation"):
            made(study, Charge(second, "3000", DAY, **spelt), "x")
        assert left(study) == before
    with pytest.raises(BadValue, match="give the reason why second try is another one"):
        made(study, Charge(removal, "3000", DAY, operation=operation(study, "second try")))
    with pytest.raises(Refused, match="charged already"):
        made(study, Charge(implant, "6600", DAY, operation=operation(study), data_supplied=False))
    made(study, Charge(removal, "3000", "2026-02-27", operation=operation(study)))


def test_missing_data_cost_30_less_in_guangdong_with_the_source_and_supplied_ones_need_their_receipt(study):
    implant = made(study, IMPLANT)
    charge = Charge(implant, "6600", DAY, operation=operation(study))
    with pytest.raises(BadValue, match="30 CNY less .* say whether"):
        made(study, charge)
    row = study.get("charge", made(study, dataclasses.replace(charge, data_supplied=False)))
    assert (row["price"], row["amount"]) == ("6600", "6570")
    (reduction,) = row["reductions"]
    assert (reduction["amount"], reduction["source"]) == ("30", GUANGDONG_DATA.source)
    fitting = fitted(study)
    supplied = Charge(study.ids["price_item"], "850.50", DAY, fitting, data_supplied=True)
    with pytest.raises(Refused, match="record the upload first"):
        made(study, supplied)
    made(study, upload(study, fitting_id=fitting))
    assert study.get("charge", made(study, supplied))["amount"] == "850.50"


@pytest.mark.parametrize("professional", ["", "no"])
def test_a_product_that_needs_no_professional_fitting_is_not_charged_for_one(study, professional):
    fitting = fitted(study, professional=professional)
    with pytest.raises(Refused, match="not chargeable for products that need no professional fitting"):
        made(study, Charge(study.ids["price_item"], "900", DAY, fitting, data_supplied=False))


def test_what_a_research_fund_pays_for_is_shadow_billing(study):
    row = study.get("charge", study.ids["charge"])
    assert (row["payer"], row["not_charged"], row["amount"]) == ("research_fund", "research", "900")
    fitting = fitted(study, payer="insurance")
    made(study, Charge(study.ids["price_item"], "800", DAY, fitting, data_supplied=False))
    (sheet,) = costs.sheets(study, "P01")
    assert (sheet.charged, sheet.shadow) == ({"CNY": "770"}, {"CNY": "900"})
    assert sheet.simulated


def test_a_changed_price_item_leaves_old_charges_as_they_were(study):
    old = study.get("charge", study.ids["charge"])
    (before,) = costs.sheets(study)[0].charges
    item = study.get("price_item", study.ids["price_item"])
    change = AddPriceItem(item["name"], "fitting", "Guangdong", "price document", "2027", "CNY", cap="500")
    newer = made(study, change)
    corrected = dataclasses.replace(change, document_version="2026", cap="800", corrects=item["id"])
    made(study, corrected, "misread")
    assert study.get("charge", study.ids["charge"]) == old
    assert costs.sheets(study)[0].charges == [before]
    assert (before.document_version, before.cap, before.amount) == ("2026", "900", "900")
    fitting = fitted(study)
    with pytest.raises(BadValue, match="at most 500 CNY, got 900"):
        made(study, Charge(newer, "900", DAY, fitting))
    with pytest.raises(Refused, match="was corrected; charge by the item that replaces it"):
        made(study, Charge(item["id"], "900", DAY, fitting, data_supplied=False))
    with pytest.raises(RecordFault, match="append-only"):
        study.amend("price_item", item["id"], {"cap": "1"}, reason="x")


def test_a_charge_is_taken_back_with_a_reason_and_what_it_was_for_charged_again(study):
    fitting, first = study.ids["fitting"], study.ids["charge"]
    charge = TakeBackCharge(first)
    with pytest.raises(BadValue, match="needs a reason"):
        made(study, charge)
    made(study, charge, "another participant")
    (sheet,) = costs.sheets(study)
    assert (len(sheet.charges), sheet.shadow) == (1, {"CNY": "0"})
    assert study.count("charge") == 2
    with pytest.raises(Refused, match="corrected already"):
        made(study, charge, "again")
    right = Charge(study.ids["price_item"], "700", DAY, fitting, data_supplied=True)
    made(study, right)
    with pytest.raises(Refused, match="charged already"):
        made(study, right)


def test_what_is_charged_at_0_is_a_charge_like_any_other(study):
    fitting = fitted(study)
    free = Charge(study.ids["price_item"], "0", DAY, fitting, data_supplied=True)
    receipt = upload(study, fitting_id=fitting)
    made(study, receipt)
    assert not study.get("charge", made(study, free))["taken_back"]
    with pytest.raises(Refused, match="charged already"):
        made(study, free)


@pytest.mark.parametrize("wrong", [{"province": "Hubei"}, {"effective_from": "2026-03-02"}, {"cap": "5"}])
def test_a_charge_is_taken_back_also_after_its_item_and_its_fitting_were_corrected(study, wrong):
    fitting, first = fitted(study), study.ids["price_item"]
    charge = Charge(first, "900", DAY, fitting, data_supplied=False)
    charged = made(study, charge)
    item = study.get("price_item", first)
    facts = {name: item[name] for name in ("name", "kind", "province", "document", "document_version", "currency")}
    newer = made(study, AddPriceItem(**{**facts, **wrong}, corrects=first), "misread")
    study.amend("fitting", fitting, {"professional": "no", "payer": "", "province": "Hunan"}, reason="misread")
    before = study.get("charge", charged)
    for one in (first, newer):
        zero = dataclasses.replace(charge, price_item_id=one, price="0", corrects=charged)
        with pytest.raises(WorkbenchError):
            made(study, zero, "wrong item")
    row = study.get("charge", made(study, TakeBackCharge(charged), "wrong item"))
    assert (row["price"], row["amount"], row["reductions"], row["corrects"]) == ("0", "0", [], charged)
    kept = ("visit_id", "fitting_id", "operation", "price_item_id", "performed_on", "payer", "not_charged")
    assert {name: row[name] for name in kept} == {name: before[name] for name in kept}
    assert costs.sheets(study)[0].charged == {"CNY": "0"}


def test_an_operation_that_was_taken_back_excludes_no_other_item(study):
    implant, removal = made(study, IMPLANT), made(study, REMOVAL)
    wrong = made(study, Charge(implant, "6600", DAY, operation=operation(study), data_supplied=False))
    made(study, TakeBackCharge(wrong), "it was a removal")
    made(study, Charge(removal, "3000", DAY, operation=operation(study)))


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"cap": "6600.505"}, "cap must be an amount"),
        ({"cap": "-1"}, "cap must be an amount"),
        ({"currency": "yuan"}, "three capital letters"),
        ({"province": " "}, "province"),
        ({"document": ""}, "document"),
        ({"document_version": ""}, "document_version"),
        ({"kind": "loan"}, "kind"),
        ({"effective_from": "June"}, "effective_from"),
        ({"rules": (PriceRule("data_reduction", "", amount="30"),)}, "with its source"),
        ({"rules": (PriceRule("data_reduction", "x"),)}, "with its source"),
        ({"rules": (PriceRule("not_with", "x", amount="30"),)}, "with its source"),
        ({"rules": (PriceRule("fun", "x"),)}, "with its source"),
        ({"rules": (PROFESSIONAL_ONLY,) * 21}, "at most 20 rules"),
    ],
)
def test_a_wrong_price_item_is_one_sentence_and_leaves_nothing(study, item, why):
    before = left(study)
    with pytest.raises(BadValue, match=why):
        made(study, dataclasses.replace(IMPLANT, **item))
    assert left(study) == before


def test_one_version_of_a_document_has_an_item_once_for_each_hospital_level(study):
    first = made(study, IMPLANT)
    made(study, dataclasses.replace(IMPLANT, hospital_level="3"))
    with pytest.raises(Refused, match="in the record already"):
        made(study, IMPLANT)
    # Entered under a wrong version, corrected, and then that version itself.
    made(study, dataclasses.replace(IMPLANT, document_version="2024", corrects=first), "wrong version")
    made(study, IMPLANT)


@pytest.mark.parametrize(
    ("charge", "why"),
    [
        ({"price": "9OO"}, "price must be an amount"),
        ({"price": 900}, "price must be an amount"),
        ({"price": "900.01"}, "at most 900 CNY"),
        ({"price": "20"}, "more than the price"),
        ({"performed_on": "2999-01-01"}, "today or earlier"),
        ({"performed_on": ""}, "today or earlier"),
        ({"performed_on": "20260301"}, "performed_on"),
        ({"performed_on": "2026-03-04"}, "first step"),
        ({"fitting_id": ""}, "kind fitting"),
        ({"price_item_id": "gone"}, "no price_item"),
    ],
)
def test_a_wrong_charge_is_one_sentence_and_leaves_nothing(study, charge, why):
    right = Charge(study.ids["price_item"], "900", DAY, fitted(study), data_supplied=False)
    before = left(study)
    with pytest.raises((BadValue, UnknownName), match=why):
        made(study, dataclasses.replace(right, **charge))
    assert left(study) == before
    made(study, right)


def test_an_item_holds_in_its_province_and_from_its_day_on_and_somebody_pays(study):
    item = AddPriceItem("x", "fitting", "Hubei", "price document", "1", "CNY", effective_from="2026-03-02")
    hubei = made(study, item)
    with pytest.raises(Refused, match="holds in Hubei, .* in Guangdong"):
        made(study, Charge(hubei, "900", DAY, fitted(study)))
    with pytest.raises(Refused, match="holds in Hubei, .* in not supplied"):
        made(study, Charge(hubei, "900", DAY, fitted(study, province="")))
    with pytest.raises(Refused, match="from 2026-03-02 on"):
        made(study, Charge(hubei, "900", DAY, fitted(study, province="Hubei")))
    with pytest.raises(Refused, match="who pays was not supplied"):
        made(study, Charge(hubei, "900", "2026-03-02", fitted(study, province="Hubei", payer="")))
    made(study, Charge(hubei, "900", "2026-03-02", fitted(study, province="Hubei")))


def test_a_frozen_participant_takes_no_charge_no_fitting_and_no_upload(study):
    person = study.ids["participant"]
    fitting = fitted(study)
    charge = Charge(study.ids["price_item"], "900", DAY, fitting, data_supplied=False)
    made(study, Freeze("participant", person), "interim analysis")
    before = left(study)
    for change in (charge, upload(study), BeginFitting(study.ids["visit"], "T")):
        with pytest.raises(Refused, match=r"participant was locked by .* \(interim analysis\)"):
            made(study, change, "x")
    assert left(study) == before
    made(study, Unfreeze("participant", person), "done")
    made(study, charge)


def test_charges_are_for_those_who_settle_them_and_fittings_for_those_who_make_them(study):
    study.add_person("op", "Op O", "correct horse", roles=("operator",))
    signer = study.sign_in("op", "correct horse")
    fitting = study.apply(BeginFitting(study.ids["visit"], "Op O"), signer)
    assert study.get("fitting", fitting)["by"] == "Op O"
    with pytest.raises(Refused, match="Charge is for coordinator, investigator, data_manager; Op O is operator"):
        study.apply(Charge(study.ids["price_item"], "900", DAY, fitting), signer)


def test_an_evidence_step_has_a_date_a_document_and_its_hash(study):
    step = RecordEvidenceStep("dossier_approval", "Product X", "2026-01-15", "decision", "d" * 64)
    made(study, step)
    assert [row["stage"] for row in costs.evidence(study)] == ["dossier_approval", "coding"]
    before = left(study)
    for wrong in ({"decided_on": ""}, {"decided_on": "2999-01-01"}, {"sha256": ""}, {"document": ""},
                  {"product": ""}, {"stage": "prize"}):  # fmt: skip
        with pytest.raises(BadValue):
            made(study, dataclasses.replace(step, **wrong))
    assert left(study) == before


# ------------------------------------------------------------------------------ the sheet and the table
def test_nothing_that_was_not_supplied_appears_as_a_value(study):
    fitting = made(study, BeginFitting(study.ids["visit"], "Therapist T"))
    (found,) = (one for one in costs.fittings(study) if one.id == fitting)
    given = {"participant", "visit", "state", "missing", "n_uploads", "operator", "simulated", "participant_id",
             "visit_id", "id"}  # fmt: skip
    for one in dataclasses.fields(found):
        if one.name not in given:
            assert getattr(found, one.name) in ("", None, [], {}), one.name
    assert found.missing == STEPS
    (line,) = costs.sheets(study)[0].charges
    assert (line.item_code, line.hospital_level) == ("", "")
    table = study.fittings().set_index("id").loc[fitting]
    assert table[["minutes", "started", "channels", "fs", "acquisition_min"]].isna().all()


def test_the_table_of_fittings_has_minutes_by_step_and_joins_by_its_ids(study, empty):
    table = study.fittings()
    assert table.dtypes.to_dict() == empty.fittings().dtypes.to_dict()
    assert len(empty.fittings()) == 0
    assert list(table.columns[:2]) == ["participant", "visit"]
    (row,) = table.itertuples()
    assert (row.participant, row.visit, row.state, row.minutes, row.n_uploads) == (
        "P01", "baseline", "complete", 40.0, 1,
    )  # fmt: skip
    assert all(getattr(row, f"{step}_min") == 5.0 for step in STEPS)
    assert row.ended - row.started == pd.Timedelta(minutes=40)
    assert len(table.merge(study.sessions(), left_on="session_id", right_on="id")) == 1


START = datetime(2026, 3, 1, tzinfo=UTC)


def spelled(second, digits):
    """The same moment with and without a fraction."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S") + (".000" if digits else "") + "Z"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60), st.booleans()), min_size=1, max_size=8))
def test_minutes_count_every_second_that_a_step_covers_once(spans):
    rows = [
        {"started": spelled(start, fraction), "ended": spelled(start + length, not fraction)}
        for start, length, fraction in spans
    ]
    covered = {second for start, length, _ in spans for second in range(start, start + length)}
    assert costs._minutes(rows) == pytest.approx(len(covered) / 60)


def test_fittings_until_stable_control_are_counted_by_the_criterion_that_is_given_and_not_without(study):
    def twice_passed(done):
        return [one.function_test for one in done][-2:] == ["passed", "passed"]

    (sheet,) = costs.sheets(study)
    assert (sheet.criterion, sheet.fittings_until_stable) == ("", None)
    stable = costs.StableControl("two function tests passed in a row", twice_passed)
    assert costs.sheets(study, stable=stable)[0].fittings_until_stable is None
    begin(study)
    fitted(study)
    (sheet,) = costs.sheets(study, stable=stable)
    assert (sheet.criterion, sheet.fittings_until_stable, sheet.n_complete) == (stable.text, 2, 2)


def test_an_unusual_device_code_is_a_warning_and_no_error(study):
    usual = "C" + "0123456789" * 2 + "012345"
    fitted(study, nhsa_code=usual)
    assert costs.sheets(study)[0].warnings == []
    fitted(study, nhsa_code="X-1")
    (warning,) = costs.sheets(study)[0].warnings
    assert "X-1" in warning
    assert "unchecked" in warning


def test_a_sheet_of_somebody_who_is_not_there_is_refused_with_who_is(study):
    with pytest.raises(UnknownName, match="no participant 'P99'; there are P01"):
        costs.sheets(study, "P99")
