"""A simulated trial of two arms in the record: everything that a report of a trial tells of, a few rows each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from workbench import outcomes, world
from workbench.study import Study, allocations, protocol
from workbench.study.applying import Change
from workbench.study.changes import (
    AdoptProtocol,
    AnswerCriterion,
    CloseDeviation,
    Enrol,
    GiveConsent,
    GrantRole,
    HoldVisit,
    Implant,
    MakeList,
    OpenQuery,
    Randomise,
    RecordDeviation,
    RecordFinding,
    ReportDeficiency,
    ReportEvent,
    SetAnchor,
    SetStatus,
)
from workbench.study.moments import text_of
from workbench.vocabulary import Assessment, Condition, Participant, Recording, Run, Session, Trial

SECRET = "correct horse"
EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"
DEVICE, TIMED = "interface", "timed"
VISITS = (("Baseline", 20), ("Week 4", 48), ("Week 8", 76))
PEOPLE = {
    "okafor": ("Dr Okafor A.", "investigator"), "stat": ("Novak P.", "monitor"),
    "he": ("He D.", "data_manager"), "rossi": ("Rossi M.", "safety_officer"),
}  # fmt: skip
CONSENT = 120
"""Days before today on which everybody consented."""
OFF, ON = Condition(False, False, False), Condition(True, True, False)
MILD = {
    "serious": False, "criteria": [], "severity": "mild", "device": "not_related", "procedure": "not_related",
    "stimulation": "not_related", "expected": True,
}  # fmt: skip
GRASP = {"condition": "grasp", "rest": "rest", "attempt_s": 3.0, "onset_window_s": 1.5, "dwell": 3}


def ago(days: int) -> str:
    """ISO date so many days before today."""
    return (world.clock.local().date() - timedelta(days=days)).isoformat()


def definition() -> dict[str, Any]:
    """The example's arms, criteria, estimand and limits, with visits that were all due by today."""
    example = protocol.read(EXAMPLE).definition()
    visits = [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 14, "forms": ["vitals"]}
    ]
    visits += [
        {"name": name, "anchor": "consent", "day": day, "earliest": day - 7, "latest": day + 7, "forms": ["arat"]}
        for name, day in VISITS
    ]
    forms = [form for form in example["form"] if form["name"] in ("arat", "vitals")]
    # Blocks of two: whoever is drawn first, the arms are equal after each pair of a stratum.
    randomisation = {**example["randomisation"], "blocks": [2]}
    return {**example, "visit": visits, "form": forms, "randomisation": randomisation}


class Made:
    """A trial with its people.

    Attributes
    ----------
    study : open.
    who : signers by login.
    people : ids by pseudonym.
    arms : by id.
    """

    def __init__(self, study: Study) -> None:
        self.study, self.who = study, {}
        for login, (name, role) in PEOPLE.items():
            study.add_person(login, name, SECRET, (role,))
            self.who[login] = study.sign_in(login, SECRET)
        stat = study.rows("person", login="stat")[0]["id"]
        study.apply(GrantRole(stat, "statistician", "GCP"), self.who["he"], "sees the arms")
        both = [self.who[login].confirm(SECRET) for login in ("okafor", "he")]
        study.apply(AdoptProtocol(definition()), both)
        study.apply(MakeList("1.0.0"), self.who["stat"])
        self.people: dict[str, str] = {}
        self.arms: dict[str, str] = {}

    def all(self, changes: Sequence[Change], who: str = "okafor", reason: str = "as in the source") -> None:
        """Make changes in one transaction."""
        refused = [said for said in self.study.apply_all(changes, self.who[who], reason) if said]
        assert not refused, refused

    def do(self, change: Change, reason: str = "as in the source", who: str = "okafor") -> str:
        """Make one change."""
        return self.study.apply(change, self.who[who], reason)

    def visit(self, person: str, name: str) -> str:
        """Id of a visit."""
        return str(self.study.rows("visit", participant_id=person, name=name)[0]["id"])


def begin(folder: Path, *, simulated: bool = True, n: int = 8) -> Made:
    """A new study with ``n`` randomised, one in screening and one who failed it; left open."""
    made = Made(Study.create(folder, code="HAND-TRIAL", title="Grasp with a glove, invented", actor="tests"))
    names = [f"P-{k + 1:03d}" for k in range(n + 2)]
    about = {"ais": "B", "injured_on": "2023-05-02", "simulated": simulated}
    for k, name in enumerate(names):
        level, side = ("C5", "C6", "C4")[k % 3], ("left", "right")[k % 2]
        made.people[name] = made.study.append(Participant(name, injury_level=level, trained_side=side, **about))
    steps: list[Change] = []
    for name, person in made.people.items():
        steps += [
            Enrol(person, f"S-{name}"), SetAnchor(person, "consent", ago(CONSENT)),
            GiveConsent(person, ("participation", "neural_data_use"), "1.0", ago(CONSENT)),
        ]  # fmt: skip
        wound = "yes" if name == names[n] else "no"
        steps += [AnswerCriterion(person, c, "yes", "file") for c in ("I1", "I2")]
        steps += [AnswerCriterion(person, "E1", wound, "file")]
        steps += [SetStatus(person, "enrolled")] if name in names[:n] else []
    steps += [SetStatus(made.people[names[n]], "screen_failure")]
    made.all(steps)
    for k, name in enumerate(names[:n]):
        made.do(Randomise(made.people[name], {"side": ("left", "right")[k % 2]}))
    made.arms = allocations.arms(made.study, made.who["stat"], "to make the trial")
    _held(made, names[:n])
    _safety(made, names)
    _left(made, names)
    return made


def _held(made: Made, names: Sequence[str]) -> None:
    steps: list[Change] = []
    for k, name in enumerate(names):
        person = made.people[name]
        steps.append(SetAnchor(person, "first_session", ago(CONSENT - 30)))
        for visit, day in VISITS[: 2 if k == 1 else 3]:
            late = 10 if (k, visit) == (3, "Week 4") else 0
            steps.append(HoldVisit(made.visit(person, visit), ago(CONSENT - day - late)))
    made.all(steps)
    for k, name in enumerate(names):
        person, device = made.people[name], made.arms[made.people[name]] == DEVICE
        for step, (visit, day) in enumerate(VISITS[: 2 if k == 1 else 3]):
            row = made.visit(person, visit)
            assess(made.study, row, OFF, total(k, step, device=device), ago(CONSENT - day))
            if device and step:
                assess(made.study, row, ON, 14 + 2 * k + 4 * step, ago(CONSENT - day))
                session(made.study, row, name, ago(CONSENT - day))


def total(k: int, step: int, *, device: bool) -> int:
    """ARAT of participant number ``k`` at a visit, without the device: up by 3 a visit in its arm, else by 1."""
    return 8 + 2 * k + step * (3 if device else 1) + k * k * step % 5


def assess(study: Study, visit: str, condition: Condition, total: int, day: str) -> str:
    """Enter an ARAT total of the right hand."""
    arat = outcomes.load("arat")
    items, left = {}, total
    for item in arat.definition.items:
        items[item.code] = min(3, left)
        left -= items[item.code]
    return study.append(
        Assessment(
            visit, "arat", arat.definition.version, condition, side="right", items=items,
            score=asdict(arat.score(items)), rater="Wu R.", administered_at=f"{day}T09:00:00Z",
        )
    )  # fmt: skip


def session(study: Study, visit: str, name: str, day: str) -> None:
    """One online run of eight attempts, of which the record has the recording."""
    row = study.append(
        Session(visit, "Lin Q.", started=f"{day}T10:00:00Z", simulated=True, plan={"effector": "glove"})
    )
    run_id = f"run-{row[-12:]}"
    latency = {"p50_ms": 8.7, "p95_ms": 15.1, "p99_ms": 21.3, "max_ms": 44.0, "n": 2580}
    run = Run(row, 1, "online", "grasp_rest", "finished", run_id, "3f9a71c2" * 8, 8, GRASP, {"latency": latency})
    trials = [
        Trial(i, "grasp", 8000 * i + 3000, 100.0 + 8 * i, 8000 * i + 11000, "correct" if i else "missed",
              "grasp" if i else "", 8000 * i + 3700 if i else None, 0.7 if i else None, rest_s=5.0)
        for i in range(8)
    ]  # fmt: skip
    digest = f"{name.encode().hex()}{day.encode().hex()}".ljust(64, "0")[:64]
    file = Recording(run_id, f"recordings/{run_id}.xdf", digest, 4_200_000, 131_000, 1000.0, "finished")
    study.append_run(run, trials=trials, recordings=[file])


def _safety(made: Made, names: Sequence[str]) -> None:
    device = next(name for name in names if made.arms.get(made.people[name]) == DEVICE)
    timed = next(name for name in names if made.arms.get(made.people[name]) == TIMED)
    aware = text_of(world.clock.now() - timedelta(days=40))
    given = {"onset": ago(45), "zone": "Asia/Shanghai", "country": "CN", "aware": aware, "outcome": "recovered"}
    redness = {**MILD, "device": "probable"}
    sepsis = {**MILD, "serious": True, "criteria": ["hospitalisation"], "severity": "severe"}
    made.do(ReportEvent(made.people[device], "skin redness under the glove", facts=redness, **given), who="rossi")
    made.do(ReportEvent(made.people[timed], "urinary sepsis", facts=sepsis, **given), who="rossi")
    made.do(
        ReportDeficiency(
            "glove", "finger tube leaks", ago(50), {"could_have_led_to_sae": False}, aware=aware,
            zone="Asia/Shanghai", country="CN", participant_id=made.people[device],
        ),
        who="rossi",
    )  # fmt: skip
    implant = made.do(Implant(made.people[device], "NEO", ago(100), "epidural", serial="7"), who="rossi")
    made.do(RecordFinding(implant, "impedance", ago(60), "contact 3 up by 31 %", True, {"3": 1310.0}), who="rossi")
    about = made.study.rows("assessment")[0]["id"]
    made.do(OpenQuery("assessment", about, "items", "item 7 against the video?"), who="he")
    made.do(RecordDeviation(made.people[device], "limit", "a session lasted 97 min"))
    closed = made.do(RecordDeviation(made.people[timed], "consent", "signed on the wrong page"))
    made.do(CloseDeviation(closed, "none on the data", "signed again"))


def _left(made: Made, names: Sequence[str]) -> None:
    made.do(SetStatus(made.people[names[0]], "completed"), "all visits held")
    made.do(SetStatus(made.people[names[1]], "withdrawn"), "moved away")
    made.do(SetStatus(made.people[names[2]], "lost"), "no answer to five calls")
