"""A saved or exported notebook shows a still picture of every panel, where no kernel runs any more."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench import outcomes
from workbench.figures.interactive import _schemas
from workbench.outcomes import isncsci
from workbench.widgets import (
    AssessmentForm,
    AssessmentPicker,
    DecoderPanel,
    IsncsciForm,
    LiveSession,
    LogView,
    ParticipantPage,
    Presenter,
    ResultPanel,
    SetupPanel,
    Worklist,
)
from workbench.widgets._entry import AssessmentEntry

HOSTILE = "<script>alert(1)</script>"
ABOUT = {"save": lambda one: "Saved.", "visit_id": "v", "rater": "R", "place": ("S", "SIM-01", "baseline")}


class Client:
    """An engine that says it is idle."""

    def status(self):
        return {"engine": {"state": "idle"}}


class SetUp:
    """A set-up without streams."""

    def state(self):
        return {"site": "main", "connections": [], "problems": []}

    def refusal(self):
        return None


class Person:
    """A participant with nothing but a name."""

    def page(self, _participant):
        return {"read_at": "", "person": {"pseudonym": HOSTILE}, "visits": [{}], "queries": [], "deviations": []}


def form():
    made = AssessmentForm.of(outcomes.load("arat"), **ABOUT)
    made.enter("grasp_1", 3)
    made.choose("assisted", value=True)
    return made


def log():
    made = LogView()
    made.append(HOSTILE)
    return made


PANELS = {
    "AssessmentForm": (form, "1 of 19 items"),
    "IsncsciForm": (lambda: IsncsciForm(isncsci, **ABOUT), "SIM-01"),
    "AssessmentPicker": (
        lambda: AssessmentPicker([("v", "P")], [("arat", "ARAT")], pick=print),
        "AssessmentPicker",
    ),
    "LogView": (log, "&lt;script&gt;"),
    "SetupPanel": (lambda: SetupPanel(SetUp()), "in the way"),
    "DecoderPanel": (lambda: DecoderPanel("a" * 64, name="csp_lda", accuracies={}), "csp_lda"),
    "ParticipantPage": (lambda: ParticipantPage(Person(), "p"), "&lt;script&gt;"),
    "ResultPanel": (
        lambda: ResultPanel(result={"number": 3, "participant": HOSTILE, "hits": 7, "n": 8}),
        "7 of 8",
    ),
}


@pytest.mark.parametrize("name", list(PANELS))
def test_a_panel_leaves_a_still_picture_beside_itself(name):
    make, words = PANELS[name]
    data, _ = make()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert words in data["text/html"]
    assert "<script" not in data["text/html"]


def test_every_panel_describes_itself():
    forms = {AssessmentForm: AssessmentEntry, IsncsciForm: AssessmentEntry}
    others = (AssessmentPicker, DecoderPanel, LiveSession, LogView, Presenter, ResultPanel, SetupPanel, Worklist)
    for panel in (*forms, *others, ParticipantPage):
        assert "describe" in vars(forms.get(panel, panel))


def test_an_executed_notebook_is_exported_with_the_picture(tmp_path):
    _schemas.start()
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    nbconvert = pytest.importorskip("nbconvert")
    cell = (
        "from workbench import outcomes\n"
        "from workbench.widgets import AssessmentForm\n"
        "form = AssessmentForm.of(outcomes.load('arat'), save=str, visit_id='v', rater='R')\n"
        "form.enter('grasp_1', 3)\n"
        "form"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(
        notebook, timeout=120, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert "1 of 19 items" in page
    assert not re.search(r"widget-view\+json", page.split("<body", 1)[1])


README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.job
def test_the_command_for_a_notebook_to_keep_leaves_figures_that_need_no_network(
    tmp_path: Path, chromium: Any
) -> None:
    nbformat = pytest.importorskip("nbformat")
    cell = "from plotly import graph_objects as go\ngo.Figure(go.Scatter(y=[1, 3, 2]))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbformat.write(notebook, tmp_path / "one.ipynb")
    (command,) = re.findall(r"`([^`]*jupyter nbconvert [^`]*)FILE\.ipynb`", README.read_text(encoding="utf-8"))
    words = shlex.split(command)
    own = dict(word.split("=", 1) for word in words[: words.index("jupyter")])
    # The same program, of the environment of these tests.
    argv = [sys.executable, "-m", "jupyter", *words[words.index("jupyter") + 1 :], "one.ipynb"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, timeout=300, env=os.environ | own)
    context = chromium.new_context(offline=True)
    page = context.new_page()
    try:
        page.goto((tmp_path / "one.html").as_uri(), wait_until="domcontentloaded")
        page.wait_for_selector(".js-plotly-plot .main-svg .scatterlayer path.js-line", state="attached")
    finally:
        context.close()
