"""CDISC USDM 4.0: a protocol is in the file whole, keeps the rules of ``usdm4``, and comes back as it was."""

from __future__ import annotations

import gc
import json
import warnings
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.exchange.protocols import EXAMPLE, protocols
from workbench.errors import BadValue
from workbench.exchange import usdm
from workbench.study import protocol
from workbench.study.protocol import Protocol

DEVICES = {"neo_hand": ("Implanted electrodes, glove", "signal: electrodes over the hand area")}


@pytest.fixture(scope="module")
def example():
    return protocol.read(EXAMPLE)


@cache
def terminology():
    """The engine of the rules with the terms of CDISC, which take seconds to read."""
    # It leaves files open and drops a rule whose import warns: here warnings are errors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("usdm4", reason="usdm4 is not installed; docs/exchange.md says how")
        from usdm4.ct.cdisc.library import Library
        from usdm4.rules.engine import RulesValidationEngine

        root = Path(package.__file__).parent
        terms = Library(root)
        terms.load()
        engine = RulesValidationEngine(root, "usdm4.rules.library")
        gc.collect()
    return engine, terms


def judged(data, tmp_path):
    """Number of rules by how they ended, and which did not succeed."""
    engine, terms = terminology()
    from usdm4.data_store.data_store import DataStore

    file = tmp_path / "study.json"
    file.write_bytes(data)
    store = DataStore(str(file))
    store.decompose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = engine._execute_rules({"data": store, "ct": terms}).outcomes.values()
    return len(outcomes), {one.rule_id: one.status.value for one in outcomes if one.status.value != "Success"}


def version_of(data):
    return json.loads(data)["study"]["versions"][0]


def test_every_arm_visit_criterion_form_estimand_and_device_of_a_protocol_is_in_the_file(example):
    version = version_of(usdm.to_usdm(example, DEVICES))
    (design,) = version["studyDesigns"]
    assert [(one["name"], one["label"]) for one in design["arms"]] == [(o.name, o.title) for o in example.arms]
    said = " ".join(one["text"] for one in design["notes"])
    remarked = (*example.stopping_rules, *example.implant_checks, *example.session_limits)
    assert all(one.name in said for one in remarked)
    assert "Impedance (impedance): day 30 after surgery, 23 to 37, every 30 days." in said
    assert [one["name"] for one in design["encounters"]] == [one.name for one in example.visits]
    assert [one["name"] for one in design["eligibilityCriteria"]] == [one.id for one in example.criteria]
    texts = [one["text"] for one in version["eligibilityCriterionItems"]]
    assert texts == [f"<p>{one.text}</p>" for one in example.criteria]
    assert {form.name for form in example.forms} <= {one["name"] for one in design["activities"]}
    assert "vitals/systolic" in [one["name"] for one in version["bcSurrogates"]]
    events = [one["label"] for estimand in design["estimands"] for one in estimand["intercurrentEvents"]]
    assert sorted(events) == sorted(example.estimands[0].intercurrent_events)
    (device,) = version["medicalDevices"]
    assert (device["name"], device["label"], device["description"]) == ("neo_hand", *DEVICES["neo_hand"])
    used = {one["medicalDeviceId"] for arm in version["studyInterventions"] for one in arm["administrations"]}
    assert used == {device["id"]}


def test_a_window_is_counted_from_the_planned_day_and_the_day_from_its_anchor(example):
    (timeline,) = version_of(usdm.to_usdm(example))["studyDesigns"][0]["scheduleTimelines"]
    names = {one["id"]: one["name"] for one in timeline["instances"]}
    week = next(one for one in timeline["timings"] if one["label"] == "Week 12")
    assert (week["value"], week["windowLower"], week["windowUpper"]) == ("P84D", "P7D", "P14D")
    assert names[week["relativeToScheduledInstanceId"]] == "Implantation"
    assert names[week["relativeFromScheduledInstanceId"]] == "Visit: Week 12"


@pytest.mark.job
def test_the_example_keeps_every_rule_of_usdm4(example, tmp_path):
    n, failed = judged(usdm.to_usdm(example, DEVICES), tmp_path)
    assert n >= 213
    assert failed == {}


@pytest.mark.job
def test_what_a_protocol_does_not_say_is_told_with_exactly_the_rules_that_then_fail(example, tmp_path):
    definition = {k: v for k, v in example.definition().items() if k not in ("population", "estimand")}
    bare = Protocol.from_definition(definition)
    said = " ".join(usdm.lacking(bare))
    _, failed = judged(usdm.to_usdm(bare), tmp_path)
    assert failed
    assert set(failed) == {f"DDF{part[:5]}" for part in said.split("DDF")[1:]}
    assert usdm.lacking(example) == []


@pytest.mark.job
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=protocols())
def test_any_protocol_keeps_every_rule_of_usdm4(tmp_path, one):
    definition = {**one.definition(), "population": {"sex": ["female"], "least_age": 18, "greatest_age": 65}}
    _, failed = judged(usdm.to_usdm(Protocol.from_definition(definition)), tmp_path)
    assert failed == {}


@settings(max_examples=10, deadline=None)
@given(one=protocols())
def test_any_protocol_comes_back_as_it_was(one):
    assert usdm.from_usdm(usdm.to_usdm(one, DEVICES)).sha256 == one.sha256


def test_a_file_in_which_a_visit_was_moved_is_refused_and_not_half_believed(example):
    data = usdm.to_usdm(example)
    moved = data.replace(b'"windowUpper": "P14D"', b'"windowUpper": "P99D"')
    assert moved != data
    with pytest.raises(BadValue, match="was changed after it was exported"):
        usdm.from_usdm(moved)


@pytest.mark.parametrize("data", [b"{}", b'{"study": {"versions": []}}', b'{"study": 1}', b"[]"])
def test_a_study_definition_of_others_is_refused_in_a_sentence(data):
    with pytest.raises(BadValue, match="no USDM file that this program wrote"):
        usdm.from_usdm(data, "f.json")
