"""A map of contacts enters the record by a change, and only one that could have been measured."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.stimulation import worked
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.study import Study
from workbench.study.changes import AdoptStimulationLimits, RecordContactMap
from workbench.study.contact_maps import charge_of_today
from workbench.systems._stimulation import set_up
from workbench.vocabulary import Participant, Visit

SOURCE = {"simulated": True, "stimulator": "simulated_epidural"}


def result(**changes):
    return {**worked.LEAD_MAP, **changes}


def spot(ma):
    return {"hot_spots": [{"muscle": "m", "contact": 0, "current_ma": ma}]}


def adopted(tmp_path):
    study = Study.create(tmp_path / "study", code="LEAD", title="lead", actor="tests")
    visit = study.append(Visit(study.append(Participant("SIM", simulated=True)), "v"))
    signers = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B")]
    study.apply(AdoptStimulationLimits(worked.definition()), signers, "the paddle")
    return study, visit


def test_a_map_stands_in_the_record_with_who_when_which_electrode_and_version_of_limits(tmp_path):
    study, visit = adopted(tmp_path)
    with study:
        sha256 = worked.limits().sha256
        by = study.script_signer("Chen L.")
        row = study.apply(RecordContactMap(visit, sha256, result(), SOURCE), by, "week 1")
        kept = study.get("contact_map", row)
        assert (kept["electrode"], kept["limits_version"], kept["limits_sha256"]) == ("paddle-16", 1, sha256)
        assert (kept["by"], kept["simulated"], kept["result"]) == (by.name, True, result())
        assert kept["utc"].endswith("Z")
        assert study.history("contact_map", row)[0]["reason"] == "week 1"
        with pytest.raises(RecordFault, match="append-only"):
            study.amend("contact_map", row, {"minutes": 1.0}, reason="x")
        # After a new version a map under the old one is refused; what stands in the record stays.
        newer = worked.definition(version=2, replaces=sha256, limits={"current_ma": 7.0})
        signers = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B")]
        study.apply(AdoptStimulationLimits(newer), signers, "less")
        with pytest.raises(Refused, match="Version 2 of the limits of paddle-16 is in force now"):
            study.apply(RecordContactMap(visit, sha256, result(), SOURCE), by, "x")


@pytest.mark.parametrize(
    ("changes", "source", "error", "why"),
    [
        (spot(6.5), SOURCE, Refused, "charge_uc .* 1.95 µC; the limit is 1.8"),
        (spot(9.0), SOURCE, Refused, "current_ma .* 9 mA; the limit is 8"),
        (spot(-1.0), SOURCE, BadValue, "cannot be read"),
        ({"skipped": {}}, SOURCE, BadValue, "each of its 16 contacts once"),
        ({"minutes": float("nan")}, SOURCE, BadValue, "and a time"),
        ({"contacts": 3}, SOURCE, BadValue, "cannot be read"),
        ({}, {"stimulator": "x"}, BadValue, "whether it is simulated"),
    ],
)  # fmt: skip
def test_a_map_that_nobody_can_have_measured_is_refused_and_nothing_written(tmp_path, changes, source, error, why):
    study, visit = adopted(tmp_path)
    with study:
        change = RecordContactMap(visit, worked.limits().sha256, result(**changes), source)
        with pytest.raises(error, match=why):
            study.apply(change, study.script_signer("Chen L."), "x")
        assert study.rows("contact_map") == []


def test_a_simulated_map_is_no_map_of_a_person(tmp_path):
    study, _ = adopted(tmp_path)
    with study:
        other = study.append(Visit(study.append(Participant("P-1")), "v"))
        study.add_person("ward", "Ward A", "correct horse", roles=("investigator",))
        signer = study.sign_in("ward", "correct horse")
        with pytest.raises(Refused, match="P-1, who is not simulated"):
            study.apply(RecordContactMap(other, worked.limits().sha256, result(), SOURCE), signer, "x")


class Tomorrow(world.Clock):
    """A day later."""

    def local(self):
        return super().local() + timedelta(days=1)


def test_the_charge_of_a_map_counts_on_its_day_for_its_participant_and_in_the_set_up_of_a_session(tmp_path):
    study, visit = adopted(tmp_path)
    with study:
        person = study.get("visit", visit)["participant_id"]
        other = study.append(Participant("SIM-2", simulated=True))
        assert charge_of_today(study, person) == {}
        change = RecordContactMap(visit, worked.limits().sha256, worked.LEAD_MAP, SOURCE)
        for _ in range(2):
            study.apply(change, study.script_signer("Chen L."), "x")
        assert charge_of_today(study, person) == {("lead", 0): 24.0}
        assert charge_of_today(study, other) == {}
        setup = set_up(study, worked.LYING, lesion="T10", participant=person)
        assert setup.earlier_uc == ((("lead", 0), 24.0),)
        assert set_up(study, worked.LYING, lesion="T10", participant=other).earlier_uc == ()
        with world.entered(clock=Tomorrow()):
            assert charge_of_today(study, person) == {}
