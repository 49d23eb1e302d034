"""One catalogue, two languages: keys and placeholders agree, and everything that can be said has words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

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


def ledger_kinds() -> set[str]:
    """Every kind that a LedgerRow in the package is made with."""
    kinds = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "LedgerRow"
            ):
                given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "kind")]
                kinds |= {g.value for g in given if isinstance(g, ast.Constant)}
    return kinds


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = (set(catalogue()[language]) for language in LANGUAGES)
    assert english == chinese


@pytest.mark.parametrize("key", sorted(catalogue()["en"]))
def test_placeholders_agree_and_no_text_is_empty(key: str) -> None:
    english, chinese = (catalogue()[language][key] for language in LANGUAGES)
    assert placeholders(english) == placeholders(chinese)
    assert english.strip()
    assert chinese.strip()


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


def test_every_state_condition_and_fault_of_the_controller_has_words() -> None:
    from workbench.control._conditions import CONDITIONS
    from workbench.control._table import FAULTS

    wanted = {f"state.{state}" for state in control.STATES} | {f"control.next.{state}" for state in control.STATES}
    wanted |= {f"control.condition.{one}" for one in CONDITIONS} | {f"control.fault.{code}" for code in FAULTS}
    assert wanted <= set(catalogue()["en"])


def test_every_paradigm_and_its_conditions_have_names() -> None:
    for name in paradigms.available():
        assert f"paradigm.{name}" in catalogue()["en"]
        for label in paradigms.load(name)().classes:
            assert f"cue.{label}" in catalogue()["en"]


@pytest.mark.parametrize("name", outcomes.available())
def test_the_english_words_of_an_outcome_measure_are_those_of_its_definition(name: str) -> None:
    definition = outcomes.load(name).definition
    for part in (*definition.items, *definition.subscales):
        assert catalogue()["en"][f"measure.{name}.{part.code}"] == part.words.split(": ")[-1]


def test_text_fills_in_and_refuses_what_is_not_there() -> None:
    assert text("run.number", language="zh-CN", n=3) == "第 3 轮"
    with pytest.raises(UnknownName, match="nowhere"):
        text("nowhere")
    with pytest.raises(UnknownName, match="language must be one of"):
        text("run.number", language="fr", n=3)
