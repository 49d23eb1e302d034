"""The one figure that the card of a system shows: kept, replaced, and of a command that printed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import systems
from workbench.errors import BadValue
from workbench.systems import CardFigure
from workbench.systems._card_figures import MEASURES, card_figures, keep_card_figures

FIGURES = Path(__file__).parents[2] / "docs" / "stress.md"


@pytest.mark.parametrize("name", sorted({*card_figures()} & {*systems.available()}))
def test_a_card_shows_what_its_command_printed_into_the_document_of_long_tests(name):
    figure = card_figures()[name]
    digits = ".3f" if figure.measure == "accuracy" else ".1f" if figure.unit else ".2f"
    heading, _, rest = FIGURES.read_text(encoding="utf-8").partition(f"## `{figure.command}`\n")
    assert rest, f"{figure.command} stands in no heading of {FIGURES.name} after {heading[-40:]!r}"
    (line,) = (one for one in rest.partition("\n## ")[0].splitlines() if one.startswith(f"{name}: "))
    interval = f"(95 % CI {figure.low:{digits}}–{figure.high:{digits}} over participants)"
    assert f"{figure.value:{digits}} {interval}" in line
    assert f": {figure.n} simulated participants" in line
    assert figure.measure in MEASURES


def test_a_figure_of_the_same_system_is_replaced_and_others_stay(tmp_path):
    kept = tmp_path / "cards.json"
    old, new, other = (CardFigure("f1", value, 0.1, 0.9, 20, command="c") for value in (0.5, 0.6, 0.7))
    keep_card_figures(kept, {"neo_hand": old, "cursor_velocity": other})
    first = kept.read_bytes()
    keep_card_figures(kept, {"neo_hand": old})
    assert kept.read_bytes() == first
    keep_card_figures(kept, {"neo_hand": new})
    assert kept.read_bytes() == first.replace(b"0.5,", b"0.6,")


@pytest.mark.parametrize("text", ["", "[]", "[" * 5000, '{"neo_hand": {"measure": "f1"}}', '{"neo_hand": 3}'])
def test_a_file_that_holds_something_else_is_refused_and_stays(tmp_path, text):
    kept = tmp_path / "cards.json"
    kept.write_text(text, encoding="utf-8")
    with pytest.raises(BadValue, match="file of card figures"):
        keep_card_figures(kept, {})
    assert kept.read_text(encoding="utf-8") == text
