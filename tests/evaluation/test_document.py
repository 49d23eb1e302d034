"""The page of decoders is what the generator writes, and names everything there is."""

from __future__ import annotations

from pathlib import Path

from workbench import decoders
from workbench.evaluation import DEFAULTS
from workbench.evaluation._document import document
from workbench.evaluation._names import ELSEWHERE, MECHANISMS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_committed_page_equals_what_is_generated():
    remedy = "run: python -m workbench.evaluation docs/evaluation.csv > docs/decoders.md"
    assert (DOCS / "decoders.md").read_text(encoding="utf-8") == document(DOCS / "evaluation.csv"), remedy


def test_every_decoder_has_its_section_with_source_parameters_and_name_elsewhere():
    page = (DOCS / "decoders.md").read_text(encoding="utf-8")
    differ = sorted(set(ELSEWHERE) ^ set(decoders.available()))
    assert differ == [], "enter each decoder in ELSEWHERE of workbench/evaluation/_names.py, and no other"
    for name in decoders.available():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for part in ("Source: ", "Elsewhere: ", "| `fs` |"):
            assert part in section, f"{name}: no {part!r}; the source is what stands under Notes in its class"


def test_what_is_left_out_elsewhere_has_its_reason():
    assert all(verdict == "covered" or verdict.startswith("left out") for *_, verdict in MECHANISMS)
    assert all(one.reason and one.decoder in decoders.available() for one in DEFAULTS.values())
