"""A decoder is made anew at home within the bounds of the protocol alone, and is used nowhere else."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doors import SteppedClock
from workbench import decoders, messages, world
from workbench.errors import Refused
from workbench.messages import Message
from workbench.runs import approve, grant
from workbench.stress.switch import PROTOCOL
from workbench.study import Study, approvals, home_use, protocol
from workbench.study.changes.locking import Freeze
from workbench.study.changes.protocols import AdoptProtocol
from workbench.vocabulary import Approval, Montage, Participant, Recording, Run, Session, Trial, Visit

BOUNDS = """
[home_use.recalibration]
cues = 20
after_days = 2
alone_days = 30
most_in_a_row = 3
least_accuracy = 0.8
most_worse = 0.05
"""
GOOD = {
    "n": 40, "correct": 36, "accuracy": 0.9, "chance_limit": 26, "validation": "5 blocks", "windows": 400,
    "skipped": 4, "params": {"fs": 250.0},
}  # fmt: skip
NAME = "neo_hand self_paced"
THERE = ("caregiver", "participant")


class Home:
    """A record at home with a decoder that the site approved, whose clock is moved by hand."""

    def __init__(self, folder: Path, clock: SteppedClock, bounds: str = BOUNDS) -> None:
        self.clock, self._made = clock, 0
        self.study = Study.create(folder, code="HOME", title="tests", actor="tests")
        self.person = self.study.append(Participant("P1", simulated=True))
        self.visit = self.study.append(Visit(self.person, "home"))
        self.use = {"effector": "glove", "participant_id": self.person}
        self.adopt(PROTOCOL + bounds)
        self.site = self.fitted("clinic")
        self.approve(self.site)

    def adopt(self, text: str) -> None:
        """Put a version of the protocol in force."""
        signers = [self.study.script_signer(name).confirm() for name in ("one", "another")]
        self.study.apply(AdoptProtocol(protocol.parse(text, "p.toml").definition()), signers, "tests")

    def approve(self, sha256: str) -> None:
        """The site approves a decoder, with a limit of its own."""
        by = self.study.script_signer("site").confirm()
        limits = {"level_max": 0.8}
        approve.approve(self.study, sha256, **self.use, by=by, system=NAME, reason="tests", limits=limits)

    def pass_days(self, days: float) -> None:
        """Let time pass."""
        self.clock.now_s += 86_400.0 * days

    def fitted(
        self,
        place: str = "home",
        cues: int = 20,
        kind: str = "calibration",
        old_days: float = 0.0,
        task: str = "self_paced",
        **found: object,
    ) -> str:
        """A decoder of a run of its own, entered."""
        self._made += 1
        n = self._made
        stated = {"place": place, "system": {"name": "neo_hand", "task": task}}
        if place == "home":
            rule = home_use.rule_of(self.study, self.person)
            stated["home"] = json.loads(json.dumps({name: getattr(rule, name) for name in ("present", "reset")}))
        session = self.study.append(Session(self.visit, "tests", simulated=True, plan=stated))
        recording = f"{n:02x}" * 32
        began = f"{self.clock.now() - timedelta(days=old_days):%Y-%m-%dT%H:%M:%SZ}"
        run = Run(session, 1, kind, "grasp_rest", "finished", id=f"r{n}", summary={"started": began})
        trials = [Trial(i, "grasp", i, float(i), i + 1, "recorded") for i in range(cues)]
        file = Recording(run.id, f"recordings/{n}.xdf", recording, 1, 1, 250.0, "finished")
        self.study.append_run(run, trials=trials, recordings=[file])
        return approve.enter(self.study, self.saved(recording, n, **found))

    def saved(self, recording: str, n: int, channels: tuple[str, ...] = ("C3", "C4"), **found: object) -> dict:
        """A decoder on disk, as a fit leaves it."""
        decoder = decoders.load("bandpower_lda")(fs=250.0)
        samples = np.random.default_rng(n).normal(size=(20, len(channels), 500))
        samples[::2] *= 3.0
        decoder.fit(samples, np.array(["grasp", "rest"] * 10))
        folder = self.study.folder / "decoders" / f"new{n}"
        montage = Montage(channels, 250.0)
        sha256 = decoders.save(decoder, folder, montage=montage, meta={"recordings": [recording]})
        used = approvals.in_use(self.study, **self.use, system=NAME, place="home")
        compared = {} if used is None else {
            "sha256": used["sha256"], "n": 40, "correct": 36, "last_correct": 36, "only_new": 0, "only_last": 0,
            "verdict": "no different",
        }  # fmt: skip
        other = dict(found.pop("compared", {}))
        metrics = {**GOOD, "compared": other if "why" in other else {**compared, **other}, **found}
        fit = {"sha256": sha256, "name": "bandpower_lda", "recordings": [recording], "metrics": metrics}
        return {**fit, "folder": str(folder.rename(folder.with_name(sha256[:12])))}

    def decide(self, sha256: str, present: tuple[str, ...] = THERE) -> approve.HomeDecision:
        """Let the rule decide."""
        signer = self.study.script_signer("home")
        return approve.by_home_rule(self.study, sha256, **self.use, system=NAME, present=present, signer=signer)

    def back(self) -> str:
        """Go back to the decoder of the site."""
        signer = self.study.script_signer("home")
        return approve.back_to_site(self.study, **self.use, system=NAME, present=THERE, signer=signer)

    def used(self, place: str = "home") -> str:
        """The decoder of an online run."""
        row = self.study.approved_decoder(**self.use, system=NAME, place=place)
        return "" if row is None else row["sha256"]

    def granted(self, sha256: str, place: str = "home") -> dict:
        """The grant of a session now. Raises Refused."""
        stated = {"place": place, "system": {"name": "neo_hand", "task": "self_paced"}}
        if place == "home":
            rule = home_use.rule_of(self.study, self.person)
            stated["home"] = json.loads(json.dumps(protocol._stated(rule)))
        session = self.study.append(Session(self.visit, "tests", simulated=True, plan=stated))
        request = {
            "session_id": session, "participant": "P1", "effector": "glove", "decoder_sha256": sha256,
            "engine_nonce": "0" * 32,
        }  # fmt: skip
        return grant.issue(self.study, request, signer=self.study.script_signer("home"))["payload"]


@pytest.fixture
def home(tmp_path):
    clock = SteppedClock(1e7)
    with world.entered(clock=clock):
        made = Home(tmp_path / "study", clock)
        made.pass_days(3)
        yield made
        made.study.close()


def test_a_decoder_within_the_bounds_is_taken_at_home_with_the_limits_of_the_site_and_nowhere_else(home):
    new = home.fitted()
    found = home.decide(new)
    assert (found.taken, found.failed) == (True, ())
    row = home.study.approval_of(new, **home.use)
    assert (row["method"], row["limits"], row["id"]) == ("home rule", {"level_max": 0.8}, found.id)
    assert row["reason"] == (
        "decided by the rule for use at home of protocol version 1.0.0; there: caregiver, participant"
    )
    stated = {check["name"]: (str(check["value"]), str(check["limit"])) for check in row["checks"]}
    assert stated["age"] == ("3.0 days", "at most 30 days")
    assert stated["in_a_row"] == ("1", "at most 3")
    assert stated["least"] == ("36 of 40 (90.0 %)", "at least 80 %")
    assert stated["worse"] == ("0.0 percentage points", "at most 5 percentage points")
    assert stated["data"] == ("20 cues", "at least 20 cues")
    assert stated["present"] == ("caregiver, participant", "participant, caregiver")
    assert (home.used(), home.used("clinic")) == (new, home.site)
    assert home.granted(new)["limits"]["level_max"] == 0.8
    with pytest.raises(Refused, match="was made at home and is used there alone; the site approves it first"):
        home.granted(new, "clinic")
    assert not home.study.is_approved(new, **home.use)
    assert [one["sha256"] for one in home.study.decoders_awaiting(home.person)] == [new]
    assert [one["sha256"] for one in approvals.all_awaiting(home.study)[home.person]] == [new]
    home.approve(new)
    assert home.granted(new, "clinic")["decoder_sha256"] == new
    assert home.study.decoders_awaiting(home.person) == []
    assert home.study.verify(files=False).ok


EVENTS = {
    "n": 20, "hits": 18, "missed": 2, "excluded": 0, "onset": {"n": 18, "median": 0.8, "low": 0.7, "high": 0.9},
    "onset_limit_s": 1.5, "onsets_s": [], "false": 9, "rest_s": 180.0, "false_per_min": 3.0,
    "false_interval": [0.2, 4.0],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "value", "limit"),
    [
        ({"correct": 31, "accuracy": 31 / 40}, "least", "31 of 40 (77.5 %)", "at least 80 %"),
        ({"correct": None}, "least", "not known", "at least 80 %"),
        ({"correct": 33, "chance_limit": 34}, "accuracy", "33 of 40 (82.5 %)", "34 of 40 (85.0 %)"),
        ({"skipped": 100}, "windows", "100 of 500", "10% of 500"),
        ({"held_out": {"events": EVENTS}}, "false_starts", "9 in 3.0 min (3.00 per minute)", "2 per minute"),
        (
            {"signal": {"pattern": {"r": 0.2, "parts": "halves"}}},
            "pattern", "correlation 0.20", "at least 0.5",
        ),
        ({"compared": {"correct": 33}}, "worse", "7.5 percentage points", "at most 5 percentage points"),
        ({"compared": {"why": "another montage"}}, "worse", "not known", "at most 5 percentage points"),
        ({"compared": {"sha256": "ee" * 32}}, "worse", "not known", "at most 5 percentage points"),
        ({"compared": {"verdict": "worse"}}, "compared", "36 of 40 (90.0 %)", "36 of 40 (90.0 %)"),
        ({"cues": 19}, "data", "19 cues", "at least 20 cues"),
        ({"kind": "online"}, "data", "20 cues", "at least 20 cues"),
        ({"place": "clinic"}, "data", "20 cues", "at least 20 cues"),
        ({"old_days": 1.5}, "data", "20 cues", "at least 20 cues"),
        ({"params": {"fs": 250.0, "shrinkage": 0.1}}, "recipe", "bandpower_lda", "bandpower_lda"),
        ({"channels": ("C3", "Cz")}, "recipe", "bandpower_lda", "bandpower_lda"),
        ({"task": "cued"}, "recipe", "bandpower_lda", "bandpower_lda"),
    ],
)  # fmt: skip
def test_each_bound_refuses_by_name_and_value_and_the_decoder_of_before_stays(home, change, name, value, limit):
    new = home.fitted(**change)
    found = home.decide(new)
    assert not found.taken
    shown = {check.name: (str(check.value), str(check.limit)) for check in found.failed}
    assert shown[name] == (value, limit)
    row = home.study.approval_of(new, **home.use)
    assert (row["decision"], row["method"]) == ("reject", "home rule")
    assert str(next(check.text for check in found.failed if check.name == name)) in row["reason"]
    assert home.used() == home.site
    with pytest.raises(Refused, match="was made"):
        home.granted(new)
    assert home.study.decoders_awaiting(home.person) == []


def test_nobody_there_an_old_approval_and_too_many_in_a_row_refuse(home):
    found = home.decide(home.fitted(), present=("participant",))
    assert [(one.name, str(one.value)) for one in found.failed] == [("present", "participant")]
    for _ in range(2):
        assert home.decide(home.fitted()).taken
    # The one that was not taken counts too: whoever tries long enough passes by chance.
    (failed,) = home.decide(home.fitted()).failed
    assert (failed.name, str(failed.value), str(failed.limit)) == ("in_a_row", "4", "at most 3")
    home.approve(home.fitted("clinic"))
    home.pass_days(30.5)
    (failed,) = home.decide(home.fitted()).failed
    assert (failed.name, str(failed.value), str(failed.limit)) == ("age", "30.5 days", "at most 30 days")


def test_a_decoder_of_home_ends_with_the_approval_of_the_site_with_the_rule_and_with_time(home):
    taken = home.fitted()
    assert home.decide(taken).taken
    assert home.granted(taken)["decoder_sha256"] == taken
    home.pass_days(27.5)
    with pytest.raises(Refused, match="the site approved a decoder more than 30 days ago"):
        home.granted(taken)
    assert home.used() == home.site
    home.pass_days(-27.5)
    assert home.used() == taken
    # A clock that was set back to before the approval prolongs nothing.
    home.pass_days(-4)
    with pytest.raises(Refused, match="or the clock is wrong"):
        home.granted(taken)
    home.pass_days(4)
    home.adopt((PROTOCOL + BOUNDS).replace("day_min = 720", "day_min = 60").replace('"1.0.0"', '"1.1.0"'))
    with pytest.raises(Refused, match="made at home under another rule"):
        home.granted(taken)
    home.adopt((PROTOCOL + BOUNDS).replace('"1.0.0"', '"1.2.0"'))
    assert home.used() == taken
    by = home.study.script_signer("site").confirm()
    approve.withdraw(home.study, home.site, **home.use, by=by, reason="the coil was moved")
    with pytest.raises(Refused, match="the approval of the site from which it was made at home"):
        home.granted(taken)
    assert home.used() == home.used("clinic") == ""


def test_somebody_goes_back_to_the_decoder_of_the_site_in_one_entry_whatever_was_made_before(home):
    first, second = home.fitted(), None
    assert home.decide(first).taken
    second = home.fitted()
    assert home.decide(second).taken
    with pytest.raises(Refused, match="another one that was made at home replaced it"):
        home.granted(first)
    before = len(home.study.approvals())
    home.back()
    assert len(home.study.approvals()) == before + 1
    assert home.used() == home.site
    row = home.study.approval_of(second, **home.use)
    assert row["reason"] == "at home caregiver, participant went back to the decoder of the site"
    for gone in (first, second):
        with pytest.raises(Refused, match="was made at home"):
            home.granted(gone)
    with pytest.raises(Refused, match="in use already"):
        home.back()
    with pytest.raises(Refused, match="was decided on before"):
        home.decide(second)


def test_what_was_made_at_home_before_a_decision_of_the_site_does_not_come_back_when_that_is_withdrawn(home):
    taken = home.fitted()
    assert home.decide(taken).taken
    second = home.fitted("clinic")
    home.approve(second)
    by = home.study.script_signer("site").confirm()
    approve.withdraw(home.study, second, **home.use, by=by, reason="tests")
    assert home.used() == home.site
    with pytest.raises(Refused, match="no longer the one in force"):
        home.granted(taken)


def test_the_site_takes_back_what_was_made_at_home(home):
    taken = home.fitted()
    assert home.decide(taken).taken
    by = home.study.script_signer("site").confirm()
    approve.withdraw(home.study, taken, **home.use, by=by, reason="false starts at night")
    assert home.used() == home.site


def test_the_site_comes_first_and_without_a_rule_a_recipe_or_a_person_nothing_is_decided(home, tmp_path):
    rowless = home.fitted()
    home.adopt(PROTOCOL.replace('"1.0.0"', '"1.1.0"'))
    with pytest.raises(Refused, match=r"the protocol needs \[home_use.recalibration\]"):
        home.decide(rowless)
    home.adopt((PROTOCOL + BOUNDS).replace('"1.0.0"', '"1.2.0"'))
    by = home.study.script_signer("site").confirm()
    approve.withdraw(home.study, home.site, **home.use, by=by, reason="tests")
    with pytest.raises(Refused, match="no decoder of the site is in use for glove"):
        home.decide(rowless)
    home.approve(home.fitted("clinic", params=None))
    (failed,) = home.decide(home.fitted()).failed
    assert (
        failed.text
        == "Not made by the recipe of the decoder of the site: the site's was not fitted by a stated recipe."
    )
    home.study.amend("participant", home.person, {"simulated": False}, reason="tests")
    with pytest.raises(Refused, match="a person has to sign in"):
        home.decide(rowless)


def test_an_entry_that_only_says_to_be_of_the_rule_grants_nothing_beyond_its_bounds(home):
    true = home.fitted()
    assert home.decide(true).taken
    (row,) = [one for one in home.study.approvals() if one["method"] == "home rule"]

    def entered(**changes):
        """Such an entry on a decoder of its own, as a script with the record's keys could make it."""
        usual = {"limits": row["limits"], "checks": tuple(row["checks"])}
        new, utc = home.fitted(), row["utc"]
        home.study.append(
            Approval(new, home.person, "glove", "approve", "x", "home rule", utc, **{**usual, **changes})
        )
        return new

    with pytest.raises(Refused, match="its limits are not those that the site approved"):
        home.granted(entered(limits={"level_max": 1.0}))
    with pytest.raises(Refused, match="under another rule"):
        home.granted(entered(checks=()))
    other = tuple({**check, "value": "x"} if check["name"] == "site" else check for check in row["checks"])
    with pytest.raises(Refused, match="no longer the one in force"):
        home.granted(entered(checks=other))
    with pytest.raises(Refused, match="the home may make 3 decoders in a row"):
        home.granted(entered())
    assert home.used() == home.site


def test_a_record_that_is_frozen_takes_no_decision_and_the_decoder_of_before_stays(home):
    new = home.fitted()
    home.study.apply(Freeze("participant", home.person), home.study.script_signer("tests"), "tests")
    with pytest.raises(Refused, match="nothing was written to approval"):
        home.decide(new)
    assert home.used() == home.site
    assert home.study.approval_of(new, **home.use) is None


def test_every_sentence_of_the_rule_is_in_chinese_too(home):
    found = home.decide(home.fitted(correct=20), present=())
    for check in found.failed:
        assert isinstance(check.text, Message)
        assert messages.translate(check.text, language="zh-CN") != check.text


ACTS = ("good", "bad", "site", "withdraw", "back", "day", "month", "rule", "home_take_back")


@pytest.mark.job
@given(st.lists(st.sampled_from(ACTS), min_size=1, max_size=10))
@settings(deadline=None, max_examples=25)
def test_in_whatever_order_decisions_are_made_no_decoder_of_home_is_granted_in_the_clinic_or_beyond_the_bounds(
    acts,
):
    clock = SteppedClock(1e7)
    with tempfile.TemporaryDirectory() as folder, world.entered(clock=clock):
        home = Home(Path(folder) / "study", clock)
        try:
            _lived(home, acts)
        finally:
            home.study.close()


def _lived(home, acts):
    """Carry the acts out, and after each compare what is granted with a model of its own."""
    site, since, rule, made, n, version = home.site, home.clock.now(), 720, None, 0, 0
    of_home: set[str] = set()
    for act in acts:
        if act in ("good", "bad") and site:
            new = home.fitted(correct=36 if act == "good" else 30)
            taken = home.decide(new).taken
            of_home.add(new)
            n += 1
            within = n <= 3 and home.clock.now() - since <= timedelta(days=30)
            assert taken == (act == "good" and within)
            made = (new, rule) if taken else made
        elif act == "site":
            site, since, n, made = home.fitted("clinic"), home.clock.now(), 0, None
            home.approve(site)
        elif act == "withdraw" and site:
            by = home.study.script_signer("site").confirm()
            approve.withdraw(home.study, site, **home.use, by=by, reason="tests")
            row = home.study.approved_decoder(**home.use, system=NAME)
            site, made = ("" if row is None else row["sha256"]), None
            if row is not None:
                since = datetime.fromisoformat(row["approval"]["utc"])
                later = [one for one in home.study.approvals() if one["utc"] >= row["approval"]["utc"]]
                n = sum(one["method"] == "home rule" and one["decision"] != "withdraw" for one in later)
        elif act == "back" and home.used() in of_home:
            home.back()
            made = None
        elif act in ("day", "month"):
            home.pass_days(1 if act == "day" else 29)
        elif act == "rule":
            version, rule = version + 1, 60 if rule == 720 else 720
            text = (PROTOCOL + BOUNDS).replace("day_min = 720", f"day_min = {rule}")
            home.adopt(text.replace('"1.0.0"', f'"1.{version}.0"'))
        elif act == "home_take_back" and home.used() in of_home:
            by = home.study.script_signer("site").confirm()
            approve.withdraw(home.study, home.used(), **home.use, by=by, reason="tests")
            made = None
        holds = made is not None and made[1] == rule and home.clock.now() - since <= timedelta(days=30)
        assert home.used() == (made[0] if holds else site)
        assert home.used("clinic") == site
        for sha256 in of_home:
            with pytest.raises(Refused):
                home.granted(sha256, "clinic")
            if not (holds and sha256 == made[0]):
                with pytest.raises(Refused):
                    home.granted(sha256)
        home.clock.now_s += 1.0
