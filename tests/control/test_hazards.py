"""The hazard document names real tests, real states and the schema as it is."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from workbench import control
from workbench.vocabulary import Acknowledgement, Command

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


def section(title):
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def table_rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_hazard_has_a_control_and_a_test():
    rows = table_rows(section("Hazard → control → test"))
    assert len(rows) >= 15
    assert len({hazard for hazard, _, _ in rows}) == len(rows), "a hazard stands twice"
    for hazard, means, tests in rows:
        assert hazard
        assert means
        assert re.search(r"tests/[\w/]+\.py::\w+", tests)


@cache
def defined_in(path):
    """Names that a module of tests defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    defined |= {
        t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)
    }
    return defined


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)), ids=lambda v: v.rsplit("/", 1)[-1])
def test_each_test_that_the_hazards_name_exists(path, name):
    assert name in defined_in(path)
    assert name.startswith(("test_", "Test"))


def said(steps):
    """``hold at the level it has, then after 1 s release, ramp 3000 ms``."""
    words = [
        step.action
        + (" at the level it has" if step.keep_level else "")
        + (f", ramp {step.ramp_ms} ms" if step.ramp_ms else "")
        for step in steps
    ]
    later = [f"after {step.after_s:g} s {text}" for step, text in zip(steps[1:], words[1:], strict=True)]
    return ", then ".join([words[0], *later])


def test_every_effector_stands_in_the_safe_states_with_its_numbers():
    rows = {row[0]: row for row in table_rows(section("Safe states"))}
    assert set(rows) == set(control.available()), "each effector has a row in docs/hazards.md, Safe states"
    for name, row in rows.items():
        effector = control.load(name)
        assert row[1:] == [
            said(effector.on_fault),
            said(effector.on_estop),
            f"{effector.ramp_ms} ms, {effector.release_ramp_ms} ms",
            f"{effector.slew_per_s:g}/s" if effector.slew_per_s else "–",
            f"{effector.level:g}",
            f"{effector.share_max:g}",
            f"{effector.hold_reminder_s:g} s, {effector.hold_limit_s:g} s",
            f"{effector.refractory_s * 1000:g} ms",
            f"{effector.heartbeat_s * 1000:g} ms, {effector.ttl_ms} ms",
            f"{effector.dose_s / 60:g} min",
        ]


def test_every_arming_condition_stands_there_in_order():
    assert tuple(row[0] for row in table_rows(section("Conditions of arming"))) == control.CONDITIONS


@pytest.mark.parametrize(
    ("noun", "head"), [(Command, "field of a command"), (Acknowledgement, "field of an acknow")]
)
def test_the_schema_is_that_of_the_vocabulary(noun, head):
    text = section("Command and acknowledgement")
    table = text[text.index(f"| {head}") :].split("\n\n", 1)[0]
    named = [name.strip() for row in table_rows(table) for name in row[0].split(",")]
    assert named == [field.name for field in fields(noun)]
