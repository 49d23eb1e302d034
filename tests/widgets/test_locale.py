"""One catalogue, two languages: keys and placeholders agree, and everything that can be said has words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests import house
from workbench import control, outcomes, paradigms
from workbench.errors import UnknownName
from workbench.widgets._locale import LANGUAGES, catalogue, text

PACKAGE = Path(__file__).resolve().parents[2] / "workbench"
WIDGETS = PACKAGE / "widgets"
ESM = sorted([*WIDGETS.glob("*.js"), *WIDGETS.glob("parts/*.js")])


def placeholders(words: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", words))


def keys_in(source: str, *, call: str) -> set[str]:
    return set(re.findall(rf"\b{call}\(\s*\"([a-z_]+(?:\.[A-Za-z_]+)+)\"", source))


ROOMS = ("live", "engine", "control", "paradigms", "recording")
SOURCES = [PACKAGE / "decode.py", *(path for room in ROOMS for path in sorted((PACKAGE / room).glob("*.py")))]


def literals(node: ast.expr | None) -> list[str]:
    """Texts an expression can give, with ``{}`` for what is filled in; nothing for what is not written down."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)]
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in literals(value)]
    return []


def calls(*names: str) -> list[ast.Call]:
    found = []
    for path in SOURCES:
        for node in house.nodes(house.syntax(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                found.append(node)
    return found


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {one.arg: one.value for one in call.keywords if one.arg}


def ledger_kinds() -> set[str]:
    """Every kind of ledger row that the package writes."""
    found = [
        keywords(call).get("kind", call.args[0] if call.args else None)
        for call in calls("enter", "_row", "LedgerRow")
    ]
    return {kind for one in found for kind in literals(one) if "{}" not in kind}


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = (set(catalogue()[language]) for language in LANGUAGES)
    assert english == chinese


def test_placeholders_agree_and_no_text_is_empty() -> None:
    english, chinese = (catalogue()[language] for language in LANGUAGES)
    assert [key for key in english if placeholders(english[key]) != placeholders(chinese[key])] == []
    assert [key for key in english if not (english[key].strip() and chinese[key].strip())] == []


def test_every_key_that_a_panel_names_is_in_the_catalogue() -> None:
    used = set().union(*(keys_in(path.read_text(encoding="utf-8"), call="t") for path in ESM))
    assert len(used) > 100
    assert used <= set(catalogue()["en"]), sorted(used - set(catalogue()["en"]))


def test_every_ledger_kind_has_a_text() -> None:
    documented = set(re.findall(r'``"(\w+)"``', _ledger_doc()))
    kinds = ledger_kinds() | documented
    assert len(kinds) >= 14
    assert {f"ledger.{kind}" for kind in kinds} <= set(catalogue()["en"])


def _ledger_doc() -> str:
    from workbench.vocabulary import LedgerRow

    doc = LedgerRow.__doc__ or ""
    return doc[doc.index("kind :") : doc.index("stamp, local")]


def test_every_state_and_condition_of_the_controller_has_words() -> None:
    from workbench.control._conditions import CONDITIONS

    wanted = {f"state.{state}" for state in control.STATES} | {f"control.next.{state}" for state in control.STATES}
    wanted |= {f"control.condition.{one}" for one in CONDITIONS}
    assert wanted <= set(catalogue()["en"])


@pytest.mark.parametrize("name", control.available())
def test_what_an_effector_does_is_said_in_words_of_its_own(name: str) -> None:
    words = {key: catalogue()["en"].get(f"state.{key}.{name}") for key in ("ACTIVE", "RELEASE")}
    assert all(words.values()), f"say what {name} does: state.ACTIVE.{name}, state.RELEASE.{name} in locale.json"
    assert ("hand" in f"{words}") == ("glove" in name)
    assert not any("hand" in catalogue()["en"][f"state.{key}"] for key in words)


def test_every_paradigm_and_its_conditions_have_names() -> None:
    for name in paradigms.available():
        assert f"paradigm.{name}" in catalogue()["en"], f"name paradigm.{name} in workbench/widgets/locale.json"
        paradigm = paradigms.load(name)()
        # Items that are selected are shown under their own names.
        for label in () if paradigm.selects else paradigm.classes:
            assert f"cue.{label}" in catalogue()["en"], f"name cue.{label} in workbench/widgets/locale.json"


MEASURES = sorted({key.split(".")[1] for key in catalogue()["en"] if key.startswith("measure.")})


def test_the_items_of_arat_are_translated() -> None:
    assert "arat" in MEASURES
    assert set(MEASURES) <= set(outcomes.available())


@pytest.mark.parametrize("name", MEASURES)
def test_the_english_words_of_an_outcome_measure_are_those_of_its_definition(name: str) -> None:
    definition = outcomes.load(name).definition
    for part in (*definition.items, *definition.subscales):
        assert catalogue()["en"][f"measure.{name}.{part.code}"] == part.label.split(": ")[-1]


def test_text_fills_in_and_refuses_what_is_not_there() -> None:
    assert text("run.number", language="zh-CN", n=3) == "第 3 轮"
    with pytest.raises(UnknownName, match="nowhere"):
        text("nowhere")
    with pytest.raises(UnknownName, match="language must be one of"):
        text("run.number", language="fr", n=3)
