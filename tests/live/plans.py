"""The plan of a session that is not connected, in a folder made ready for its engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.live import SessionPlan
from workbench.live._engine_folder import EngineFolder
from workbench.vocabulary import StreamSpec

AMPLIFIER = StreamSpec("ECoG", "EEG", 250.0, ("a",), source_id="amp")


def planned(folder: Path, *beside: StreamSpec, **changes: Any) -> tuple[EngineFolder, SessionPlan]:
    """The folder of an engine, and a plan of one amplifier.

    Parameters
    ----------
    folder : of the study.
    beside : further lines of the contract.
    changes : of other fields of the plan.
    """
    engine_folder = EngineFolder(folder)
    engine_folder.prepare()
    plan = {
        "study_folder": str(folder),
        "study": "TEST",
        "participant": "P1",
        "visit": "V1",
        "session_id": "s1",
        "operator": "tests",
        "contract": (AMPLIFIER, *beside),
    }
    return engine_folder, SessionPlan(**(plan | changes))
