"""What the systems of a presenter share."""

from __future__ import annotations

from workbench import systems
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
