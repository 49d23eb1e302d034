"""A trial under the example protocol, with one participant in the middle of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from workbench import outcomes, world
from workbench.study import Study, protocol
from workbench.study.changes import (
    AdoptProtocol,
    Enrol,
    GiveConsent,
    HoldVisit,
    MissVisit,
    SaveForm,
    SetAnchor,
)
from workbench.vocabulary import Assessment, Condition, Participant, Session, Visit

SECRET = "correct horse"
EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"
OFF, ON, HELPED = Condition(False, False, False), Condition(False, True, False), Condition(True, True, False)
ARAT = {
    "Screening": ((OFF, 12),), "Baseline": ((OFF, 13),), "Week 12": ((OFF, 17), (ON, 22), (HELPED, 34)),
    "Training": ((OFF, 15), (ON, 19), (HELPED, 26)),
}  # fmt: skip


def days_ago(days: int) -> str:
    """ISO date so many days before today."""
    return (world.clock.local().date() - timedelta(days=days)).isoformat()


def begin(folder: Path) -> None:
    """P-041: two visits held (the second outside its window), one missed, two late, one ahead; and SIM-01."""
    with Study.create(folder, code="EXAMPLE-HAND", title="Example", actor="test") as study:
        who = {}
        for login, name, role in (
            ("okafor", "Dr Okafor A.", "investigator"), ("he", "He D.", "data_manager"),
            ("wu", "Wu R.", "assessor"),
        ):  # fmt: skip
            study.add_person(login, name, SECRET, (role,))
            who[role] = study.sign_in(login, SECRET)
        adopted = AdoptProtocol(protocol.read(EXAMPLE).definition())
        study.apply(adopted, [who[role].confirm(SECRET) for role in ("investigator", "data_manager")])
        about = {"injury_level": "C5", "ais": "B", "injured_on": "2023-05-02", "trained_side": "right"}
        person = study.append(Participant("P-041", **about))
        simulated = study.append(Participant("SIM-01", simulated=True))
        study.append(Visit(simulated, "Month 1", planned=days_ago(0)))
        doctor = who["investigator"]
        study.apply(Enrol(person, "S-001"), doctor)
        study.apply(GiveConsent(person, ("participation", "neural_data_use"), "1.0", days_ago(150)), doctor)
        study.apply(SetAnchor(person, "consent", days_ago(150)), doctor)
        study.apply(HoldVisit(visit_of(study, "Screening"), days_ago(148)), doctor)
        study.apply(HoldVisit(visit_of(study, "Baseline"), days_ago(110)), doctor)
        for anchor, days in (("implant", 100), ("first_session", 90)):
            study.apply(SetAnchor(person, anchor, days_ago(days)), doctor)
        study.apply(MissVisit(visit_of(study, "Wound check")), doctor, "was in hospital")
        vitals = {
            "measured_on": days_ago(148),
            "systolic": 190,
            "skin_whole": True,
            "weight": {"missing": "not_done"},
        }
        study.apply(SaveForm(visit_of(study, "Screening"), "vitals", vitals), who["assessor"])
        for name, scores in ARAT.items():
            assess(study, visit_of(study, name), scores)
        for days in range(85, 5, -8):
            plan = {"participant": "P-041"}
            study.append(
                Session(visit_of(study, "Training"), "Lin Q.", started=f"{days_ago(days)}T09:00:00Z", plan=plan)
            )


def visit_of(study: Study, name: str) -> str:
    """Id of a visit of P-041."""
    (person,) = study.rows("participant", pseudonym="P-041")
    (row,) = study.rows("visit", participant_id=person["id"], name=name)
    return str(row["id"])


def assess(study: Study, visit: str, scores: Iterable[tuple[Condition, int]]) -> None:
    """Enter ARAT totals of the right hand."""
    arat = outcomes.load("arat")
    for condition, total in scores:
        items, left = {}, total
        for item in arat.definition.items:
            items[item.code] = min(3, left)
            left -= items[item.code]
        study.append(
            Assessment(
                visit, "arat", arat.definition.version, condition, side="right", items=items,
                score=asdict(arat.score(items)), rater="Wu R.",
            )
        )  # fmt: skip
