"""HL7 FHIR: study and subjects are valid in both editions, and lead to nobody."""

from __future__ import annotations

import copy
import json

import pytest

from tests.exchange.protocols import EXAMPLE
from workbench.errors import BadValue
from workbench.exchange import datasets, fhir
from workbench.study import Study, changes, protocol
from workbench.vocabulary import Participant


@pytest.fixture(scope="module")
def example():
    return protocol.read(EXAMPLE)


@pytest.fixture(scope="module")
def study(tmp_path_factory, example):
    with Study.create(tmp_path_factory.mktemp("f") / "study", code="X", title="t", actor="a") as one:
        people = [one.script_signer(name) for name in ("Dr B", "Dr C")]
        one.apply(changes.AdoptProtocol(example.definition()), [who.confirm() for who in people])
        for name in ("SIM-01", "SIM-02"):
            person = one.append(Participant(name, simulated=True))
            one.apply(changes.Enrol(person, name), people[0])
        one.apply(changes.SetStatus(person, "screen_failure"), people[0], "not eligible")
        one.append(Participant("SIM-03", simulated=True))
        yield one


def resources(study, example, edition):
    told = json.loads(fhir.bundle(datasets.release(study), example, edition).data)
    return told, {kind: [] for kind in ("ResearchStudy", "Group", "ResearchSubject")} | grouped(told)


def grouped(told):
    found = {}
    for entry in told["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def model(edition):
    pytest.importorskip("fhir.resources", reason="fhir.resources is not installed")
    from fhir.resources.bundle import Bundle
    from fhir.resources.R4B.bundle import Bundle as OldBundle

    return {"r5": Bundle, "r4": OldBundle}[edition]


@pytest.mark.parametrize("edition", fhir.EDITIONS)
def test_the_bundle_is_valid_and_a_wrong_one_is_found(study, example, edition):
    told, _ = resources(study, example, edition)
    model(edition).model_validate(told)
    wrong = copy.deepcopy(told)
    del wrong["entry"][0]["resource"]["status"]
    wrong["entry"][-1]["resource"]["arm"] = 1
    with pytest.raises(ValueError, match="status"):
        model(edition).model_validate(wrong)


@pytest.mark.parametrize("edition", fhir.EDITIONS)
def test_every_arm_criterion_and_estimand_is_in_the_study(study, example, edition):
    _, found = resources(study, example, edition)
    (one,), (group,) = found["ResearchStudy"], found["Group"]
    arms = [(arm["linkId"], arm["name"]) if edition == "r5" else (arm["name"], arm["description"])
            for arm in one["comparisonGroup" if edition == "r5" else "arm"]]  # fmt: skip
    assert arms == [(arm.name, arm.title) for arm in example.arms]
    criteria = [
        (each["code"]["text"], each["valueCodeableConcept"]["text"], each["exclude"])
        for each in group["characteristic"]
    ]
    assert criteria == [(each.id, each.text, each.kind == "exclusion") for each in example.criteria]
    (objective,) = one["objective"]
    assert objective["type"]["coding"][0]["code"] == "primary"
    assert example.estimands[0].variable in json.dumps(objective)


@pytest.mark.parametrize("edition", fhir.EDITIONS)
def test_subjects_are_pseudonyms_with_their_state_and_no_patient_stands_behind_them(study, example, edition):
    told, found = resources(study, example, edition)
    assert "Patient" not in grouped(told)
    who = "subject" if edition == "r5" else "individual"
    states = {}
    for one in found["ResearchSubject"]:
        assert set(one[who]) == {"type", "identifier"}
        old = one["status"]
        state = one["progress"][0]["subjectState"]["coding"][0]["code"] if edition == "r5" else old
        states[one[who]["identifier"]["value"]] = state
    assert states == {"SIM-01": "screening", "SIM-02": "ineligible", "SIM-03": "candidate"}
    assert told["entry"][0]["fullUrl"] == found["ResearchSubject"][0]["study"]["reference"]


def test_the_same_head_has_the_same_bytes_and_another_edition_is_refused(study, example):
    given = datasets.release(study)
    assert fhir.bundle(given, example, "r5") == fhir.bundle(given, example, "r5")
    with pytest.raises(BadValue, match="one of the editions r4, r5; got 'stu3'"):
        fhir.bundle(given, example, "stu3")
