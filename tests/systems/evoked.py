"""What the systems of a presenter share."""

from __future__ import annotations

from workbench import paradigms, systems
from workbench.study import Study
from workbench.vocabulary import Participant, Visit


def check_plan(name, folder):
    """A session's players and streams fit together."""
    bound = systems.simulate(systems.load(name))
    with Study.create(folder / "study", code="T", title="t", actor="test") as study:
        visit = study.append(Visit(study.append(Participant("P01", simulated=True)), "V1"))
        plan = bound.new_session(study, visit=visit, operator="Chen L.")
    participant, presenter = plan.players
    markers = next(line for line in plan.contract if line.role == "markers")
    assert participant["options"]["cue_source_id"] == markers.source_id == presenter["options"]["source_id"]
    assert (plan.cue_source, plan.effector, presenter["device"]) == ("stream", None, "simulated_presenter")


def check_free(name):
    """A calibration on what is asked for, then choices that only the participant knows."""
    bound = systems.simulate(systems.load(name), task="free")
    calibration, online = (
        paradigms.from_params(bound.paradigm, bound.params_of(kind)) for kind in ("calibration", "online")
    )
    assert calibration == paradigms.from_params(bound.paradigm, bound.paradigm_params)
    assert {cue.label for cue in online.schedule(3, seed=1)} & {*online.items, "free"} == {"free"}
    assert {cue.label for cue in calibration.schedule(3, seed=1)} & {"free"} == set()
