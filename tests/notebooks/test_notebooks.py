"""Every notebook is committed without outputs and runs on the simulated stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.figures.interactive import _schemas

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(p for p in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
NAMES = [str(p.relative_to(FOLDER)) for p in NOTEBOOKS]
FIRST = ("00_tour.ipynb", "30_assessments.ipynb")
"""The suite runs these, a release all: the pages of dashboards are looked at in a browser by tests of their own."""
MARKS = {name: [pytest.mark.release] for name in set(NAMES) - set(FIRST)}


def test_the_notebooks_of_the_road_are_there() -> None:
    road = {"00_tour", "05_new_study", "10_own_recordings", "20_live_session", "30_assessments", "40_decoders"}
    road |= {"50_report", "60_results"}
    assert {f"{name}.ipynb" for name in road} | {"dashboards/session.ipynb"} <= set(NAMES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_uses_public_names_only(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert not re.search(r"\w\._[a-z]|import _[a-z]", code)


@pytest.mark.parametrize(
    "name",
    [
        "05_new_study", "10_own_recordings", "20_live_session", "30_assessments", "40_decoders", "50_report",
        "60_results",
    ],  # fmt: skip
)
def test_the_inputs_of_a_notebook_stand_in_one_cell_for_papermill(name: str) -> None:
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    assert len(tagged) == 1
    # papermill puts its values behind this cell: it may hold plain assignments and nothing else.
    assert all(re.match(r"\w+ = ", line) for line in tagged[0]["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_committed_without_outputs_and_names_its_kernel(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_needs_no_formula_renderer_and_no_outside_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\$[^$\n]+\$", text)
    assert "http" not in text


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where the notebook puts its study; an engine that it left behind is ended."""
    yield tmp_path
    from workbench import live

    for plan in tmp_path.glob("*/*/engine/plan.json"):
        if live.find(plan.parents[1]):
            live.attach(plan.parents[1]).shutdown()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=name, marks=MARKS.get(name, [])) for p, name in zip(NOTEBOOKS, NAMES)],
)
def test_a_notebook_runs_on_the_simulated_stream(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _schemas.start()
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("WORKBENCH_SPEED", "20")
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.delenv("WORKBENCH_STUDY", raising=False)
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(home)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
