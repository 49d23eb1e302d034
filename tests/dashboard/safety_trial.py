"""A trial with safety events at every stage: overdue, due soon, running, sent, told and judged; and implants."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.dashboard.trial import EXAMPLE, SECRET, days_ago
from workbench import world
from workbench.study import Signer, Study, protocol
from workbench.study.applying import Change
from workbench.study.changes import (
    AdoptProtocol,
    ConfirmRule,
    GrantRole,
    Implant,
    JudgeEvent,
    MarkSeen,
    MarkSent,
    RecordFinding,
    ReportDeficiency,
    ReportEvent,
    TellSomebody,
)
from workbench.study.moments import text_of
from workbench.vocabulary import Participant

ZONE = "Asia/Shanghai"
PEOPLE = {
    "rossi": ("Rossi M.", "safety_officer"), "okafor": ("Dr Okafor A.", "investigator"),
    "lin": ("Lin Q.", "coordinator"), "he": ("He D.", "data_manager"), "wu": ("Wu R.", "therapist"),
}  # fmt: skip
MILD = {
    "serious": False, "criteria": [], "severity": "mild", "device": "not_related", "procedure": "not_related",
    "stimulation": "not_related", "expected": True,
}  # fmt: skip
SERIOUS = {**MILD, "serious": True, "criteria": ["hospitalisation"], "severity": "severe"}
UNANTICIPATED = {**SERIOUS, "device": "possible", "severity": "moderate", "expected": False}


def ago(**span: float) -> str:
    """The moment so long before now, UTC."""
    return text_of(world.clock.now() - timedelta(**span))


def without_checks() -> str:
    """The example without planned checks of implants, which would all be missed here."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return text[: text.index("[[implant_check]]")] + text[text.index("[[session_limit]]") :]


class Trial:
    """An open study with a signer of each role.

    Parameters
    ----------
    study : new and empty.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.who: dict[str, Signer] = {}
        for login, (name, role) in PEOPLE.items():
            study.add_person(login, name, SECRET, (role,))
            self.who[login] = study.sign_in(login, SECRET)
        both = [self.who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(protocol.parse(without_checks(), "example").definition()), both)
        names = ("P-003", "P-009", "P-012", "P-014", "P-017", "P-021")
        self.people = {name: study.append(Participant(name)) for name in names}

    def do(self, change: Change, reason: str = "", who: str = "rossi") -> str:
        """Make a change."""
        return self.study.apply(change, self.who[who], reason)

    def event(self, name: str, term: str, facts: dict[str, Any], who: str = "rossi", **more: Any) -> str:
        """Report an adverse event of a participant; ``aware`` is a moment, else an hour ago."""
        given = {"onset": days_ago(15), "zone": ZONE, "country": "CN", "aware": ago(hours=1), **more}
        return self.do(ReportEvent(self.people[name], term, facts=facts, **given), who=who)


def begin(folder: Path) -> None:
    """Six participants, a blinded assessor, and something at every stage."""
    with Study.create(folder, code="SCI-HAND-01", title="Invented", actor="test") as study:
        trial = Trial(study)
        person = study.rows("person", login="wu")[0]["id"]
        trial.do(GrantRole(person, "assessor", "course 4", blinded=True), "rates blind", who="okafor")
        trial.do(ConfirmRule("cn.sae.investigator", "the text of the Decree, read on the day"), who="rossi")
        sepsis = trial.event(
            "P-009",
            "urinary sepsis",
            SERIOUS,
            aware=ago(hours=25, minutes=15),
            person="Dr Okafor A.",
            outcome="recovering",
        )
        told = trial.do(TellSomebody("adverse_event", sepsis, "Nurse Lin Q.", "phone", at=ago(hours=25)))
        trial.do(MarkSeen(told, at=ago(hours=24, minutes=55)))
        trial.do(
            TellSomebody(
                "adverse_event",
                sepsis,
                "engineer on duty",
                "message",
                "calls Park J. by phone",
                at=ago(minutes=18),
            )
        )
        trial.event("P-021", "pneumonia", SERIOUS, aware=ago(hours=17), outcome="ongoing")
        pain = trial.event(
            "P-017", "nerve pain, hand", UNANTICIPATED, aware=ago(days=6), jurisdictions=("US",), outcome="ongoing"
        )
        trial.event(
            "P-014",
            "skin redness under the coil",
            {**MILD, "device": "probable"},
            aware=ago(days=12),
            outcome="recovered",
        )
        fall = trial.event("P-003", "fall with fracture", SERIOUS, aware=ago(days=10), outcome="recovered")
        for rule, reference in (("cn.sae.investigator", "mail 12"), ("cn.sae.other", "NMPA-2026-77")):
            trial.do(MarkSent("adverse_event", fall, rule, reference, at=ago(days=9, hours=20)))
        trial.do(JudgeEvent(fall, "infections", False), "no infection")
        trial.do(JudgeEvent(pain, "infections", False), "no infection")
        glove = {"zone": ZONE, "country": "CN", "participant_id": trial.people["P-021"]}
        trial.do(
            ReportDeficiency(
                "glove",
                "lost contact during use at home",
                days_ago(7),
                {"could_have_led_to_sae": True},
                aware=ago(days=7),
                jurisdictions=("EU",),
                **glove,
            )
        )
        trial.do(
            ReportDeficiency(
                "coil cable",
                "worn sheath, replaced",
                days_ago(14),
                {"could_have_led_to_sae": False},
                aware=ago(days=14),
                zone=ZONE,
                country="CN",
                participant_id=trial.people["P-012"],
            )
        )
        _implants(trial)


def _implants(trial: Trial) -> None:
    loud = {
        "P-021": (174, 6, "wound", "swelling under the coil"),
        "P-017": (221, 15, "impedance", "contact 3 up by 31 %"),
    }
    for k, name in enumerate(("P-021", "P-017", "P-012", "P-014", "P-003")):
        days = loud[name][0] if name in loud else 60 + 45 * k
        implant = trial.do(Implant(trial.people[name], "NEO", days_ago(days), "epidural", serial=str(k)))
        for day in range(14, days - 10, 30):
            trial.do(RecordFinding(implant, "imaging", days_ago(days - day), "in place"))
        if name in loud:
            _, since, kind, text = loud[name]
            values = {"3": 1310.0} if kind == "impedance" else None
            trial.do(RecordFinding(implant, kind, days_ago(since), text, True, values))
