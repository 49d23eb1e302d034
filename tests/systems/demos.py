"""Whole demonstrations of systems that stimulate with the stride, with fewer trials than usual."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from workbench import commands, control
from workbench.recording import RunFile
from workbench.study import Study
from workbench.systems._stride import SWINGS, swings


def demo(folder: Path, module: ModuleType, monkeypatch: pytest.MonkeyPatch, *, speed: int) -> list[RunFile]:
    """The runs of a demonstration of a system, calibrations first, in a new study.

    Parameters
    ----------
    folder : of the study. module : the system's file.
    speed : stream time over real time.
    """
    system = module.SYSTEM
    fewer = replace(system.tasks[0], trials=(3, 2))
    monkeypatch.setattr(module, "SYSTEM", replace(system, tasks=(fewer,)))
    asked = ["--system", system.name, "--speed", str(speed), "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    return [RunFile(path) for path in sorted((folder / "recordings").glob("*.xdf"))]


def check_a_walk_that_was_stimulated_in_phase(folder: Path, module: ModuleType, runs: list[RunFile], said: str):
    """Currents of one leg at a time and in its swing, none in the calibration, the visits, and an equal replay.

    Parameters
    ----------
    folder, module : as in :func:`demo`. runs, said : of it.
    """
    calibration, online = runs
    assert said.count("commands recomputed, equal") == 2
    assert "Endpoint   walking_speed, without_current: 10mwt, stimulation on, preferred_speed " in said
    assert swings(calibration).on == ()
    found = swings(online)
    assert len(found.on) >= 4 * max(found.crossed, 1)
    given = control.given(online.control(), online.decisions())
    flows = {tuple(current > 0.0 for current in one.given_ma) for one in given}
    assert flows == {(False, False), (True, False), (False, True)}
    system = module.SYSTEM
    assert max(max(one.given_ma) for one in given) <= max(system.stimulation.programme.approved_ma)
    (entry,) = system.entries(online)
    assert (entry[0], entry[1]["in_phase"]) == (SWINGS.name, len(found.on))
    with Study.open(folder, actor="tests") as study:
        assert [row["name"] for row in study.rows("visit")] == [visit.name for visit in system.visits]
