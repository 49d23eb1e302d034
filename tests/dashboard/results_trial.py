"""A simulated trial with a session of real samples at a visit, and a data cut, for the page of its results."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.estimation import known_trial
from workbench.recording import RunFile
from workbench.study import Study
from workbench.study.changes import CutData
from workbench.vocabulary import Recording, Run, Session

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "study" / "recordings" / "sample-online.xdf"
PLAN = (
    known_trial.plan("primary", "responders", "complete-cases")
    + """
[[analysis]]
name = "grasp"
estimand = "primary"
role = "supplementary"
method = "t_test"
variable = "performance.grasp_f1"
outcome = "value"
side = "none"
state = "device"
visits = ["Week 12"]
"""
)


@contextmanager
def keys_beside(folder: Path):
    """With the keys that lie beside a study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(folder.parent / "keys"))
        yield


def make(folder: Path, *, n: int = 8) -> Path:
    """The trial, with a plan in its folder of plans; the first participant has an online run at Week 12."""
    known_trial.simulate(folder, known_trial.KnownTrial(n=n, leave=0.0, seed=2), cut=False)
    with Study.open(folder, actor="tests") as study:
        _session(study, folder)
        both = [study.script_signer(name).confirm() for name in ("data manager", "statistician")]
        study.apply(CutData("look"), both, "interim analysis")
    (folder / "plans").mkdir()
    (folder / "plans" / "sap-1.toml").write_text(PLAN, encoding="utf-8")
    return folder


def _session(study: Study, folder: Path) -> None:
    (folder / "recordings").mkdir(exist_ok=True)
    path = Path(shutil.copy(SAMPLE, folder / "recordings"))
    # A copy: opening a record leaves files beside it.
    with Study.open(shutil.copytree(SAMPLE.parents[1], folder.with_name("sample")), actor="tests") as sample:
        row = sample.rows("recording")[-1]
        run = sample.get("run", row["run_id"])
    (visit,) = study.rows("visit", participant_id=study.rows("participant")[0]["id"], name="Week 12")
    plan = {"effector": "glove"}
    session = study.append(
        Session(visit["id"], "Lin Q.", started="2026-03-30T10:00:00Z", simulated=True, plan=plan)
    )
    online = Run(
        session, 1, "online", run["paradigm"], "finished", "run-week-12", run["decoder_sha256"],
        run["n_trials_planned"], run["parameters"], {},
    )  # fmt: skip
    names = ("sha256", "n_bytes", "n_samples", "fs", "state")
    file = Recording("run-week-12", f"recordings/{path.name}", *(row[name] for name in names))
    study.append_run(online, trials=RunFile(path).trials(), recordings=[file])
