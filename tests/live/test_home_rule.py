"""At home nothing is armed before those whom the rule names say to be there, and no switch resets a STOP."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest

from tests.doors import SteppedClock
from tests.live.plans import planned
from workbench import world
from workbench.engine.presence import Presence
from workbench.engine.requests import RequestHandler
from workbench.engine.server import Request
from workbench.engine.session import Session
from workbench.errors import BadValue, Refused
from workbench.live import SessionPlan
from workbench.live.plan import home_sha256
from workbench.vocabulary import HomeRule, RecalibrationRule

RULE = HomeRule(
    present=("participant", "caregiver"),
    reset=("caregiver",),
    present_min=30.0,
    day_min=60.0,
    skin_min=90.0,
    call="Study line 010-5550-0100",
    emergency="120",
    release="Open the grey valve at the wrist.",
)


@pytest.fixture
def there():
    clock = SteppedClock(100.0)
    with world.entered(clock=clock):
        presence = Presence(limit_s=20.0, script=True, home=RULE)
        yield presence, clock


def test_everybody_whom_the_rule_names_says_so_and_again_once_the_time_is_over(there):
    presence, clock = there
    assert presence.missing() == ["participant", "caregiver"]
    presence.attend("participant", there=True)
    assert presence.missing() == ["caregiver"]
    assert not presence.present
    clock.now_s += 60.0
    presence.attend("caregiver", there=True)
    assert presence.present
    assert presence.status()["state"] == "script"
    clock.now_s += 29 * 60.0 + 1.0
    assert presence.missing() == ["participant"]
    assert presence.away_s() == pytest.approx(1.0)
    clock.now_s += 10.0
    assert not presence.present
    assert presence.status()["state"] != "script"


def test_who_goes_is_away_at_once(there):
    presence, _clock = there
    for role in RULE.present:
        presence.attend(role, there=True)
    presence.attend("caregiver", there=False)
    assert not presence.present
    assert presence.missing() == ["caregiver"]


def test_nobody_else_counts_and_without_a_rule_nobody_says_so(there):
    presence, _clock = there
    with pytest.raises(BadValue, match="asks for participant, caregiver, got 'site'"):
        presence.attend("site", there=True)
    with pytest.raises(Refused, match="home_use"):
        Presence(limit_s=20.0, script=False).attend("caregiver", there=True)


@pytest.fixture
def session(tmp_path):
    """A session at home that is not connected, and what its door answers."""
    folder, plan = planned(tmp_path, place="home", home=RULE, effector="glove", script_present=True)
    made = Session(folder, plan)
    handler = RequestHandler(made)
    yield SimpleNamespace(
        made=made, ask=lambda operation, **args: handler.carry_out(Request(operation, args, lambda _reply: None))
    )
    made.close()


def test_who_is_there_is_a_row_and_nobody_else_resets_a_stop(session):
    assert session.ask("attend", role="caregiver", by="carer")["ok"]
    row = session.made.ledger.shown()[0]
    assert (row["kind"], row["extent"], row["consequence"]) == ("presence", "caregiver is there", "carer")
    for role in ("participant", "site", ""):
        refused = session.ask("reset_stop", role=role)
        assert "lets caregiver reset a STOP" in str(refused)
    # The rule lets it pass; there is no STOP to reset.
    assert "no stop is latched" in str(session.ask("reset_stop", role="caregiver"))


def test_a_plan_keeps_its_rule_and_takes_none_for_another_place(tmp_path):
    _folder, plan = planned(tmp_path, place="home", home=RULE)
    assert SessionPlan.from_json(plan.to_json()).home == RULE
    anew = dataclasses.replace(RULE, recalibration=RecalibrationRule(20, 2, 30, 3, 0.8, 0.05))
    assert SessionPlan.from_json(dataclasses.replace(plan, home=anew).to_json()).home == anew
    # A plan of before there was such a table says nothing of one.
    stored = json.loads(plan.to_json())
    del stored["home"]["recalibration"]
    assert home_sha256(SessionPlan.from_json(json.dumps(stored)).home) == home_sha256(RULE)
    with pytest.raises(BadValue, match="belongs to a session at home; got place 'clinic'"):
        dataclasses.replace(plan, place="clinic")
