"""Players that a session starts: sources end with their engine, an effector outlives it and is taken up again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.live.plans import planned
from workbench import devices
from workbench.engine.players import Players
from workbench.engine.session import Session
from workbench.errors import BadValue
from workbench.study import uuid7


@pytest.fixture
def session(tmp_path):
    """A session with a glove that is not connected."""
    engine_folder, plan = planned(
        tmp_path, players=({"device": "simulated_glove", "options": {"loss": 0.0}},), effector="glove"
    )
    return Session(engine_folder, plan)


def tied(player):
    """Whether it ends when the process that started it does, which closes its standard input."""
    return player.process.stdin is not None


def test_an_effector_is_tied_to_no_engine_and_the_next_one_takes_it_up(session, tmp_path):
    paired = devices.pairing(tmp_path, "glove")
    first, next_one = (Players(session.plan, session.engine_folder, events=session.events) for _ in range(2))
    try:
        first.start_sources()
        assert first._running == []
        first.start_effectors(paired)
        (glove,) = first._running
        assert not tied(glove)
        assert devices.running_device(paired) == glove.pid
        next_one.start_effectors(paired)
        assert next_one._running == []
        session.events.write_rows()
        (row,) = [row for row in session.ledger.shown() if row["kind"] == "effector_found"]
        assert str(glove.pid) in row["extent"]
    finally:
        for stop in first.stops():
            stop()


def test_a_source_is_tied_to_its_engine_and_is_no_effector(session):
    source = {"device": "simulated_participant", "options": {"source_id": uuid7()}}
    plan = replace(session.plan, players=(source,), effector=None)
    players = Players(plan, session.engine_folder, events=session.events)
    try:
        players.start_effectors(None)
        assert players._running == []
        players.start_sources()
        assert [tied(player) for player in players._running] == [True]
        players.watch()
        assert session.ledger.shown() == []
    finally:
        for stop in players.stops():
            stop()
    players.watch()
    players.watch()
    assert [row["kind"] for row in session.ledger.shown()] == ["player_ended"]
    assert [alarm["key"] for alarm in session.ledger.alarms.shown()] == ["player_ended"]


def test_a_player_that_answers_commands_needs_the_effector_of_the_plan(session):
    players = Players(session.plan, session.engine_folder, events=session.events)
    with pytest.raises(BadValue, match="simulated_glove"):
        players.start_effectors(None)


def test_the_players_of_one_person_begin_at_one_time_and_each_begins_by_itself_alone(session):
    cortex = {"device": "simulated_participant", "options": {"source_id": uuid7()}}
    legs = {"device": "simulated_rower", "options": {"source_id": uuid7()}}
    plan = replace(session.plan, players=(legs, cortex), effector=None, speed=8.0)
    together, alone = (
        Players(one, session.engine_folder, events=session.events)
        for one in (plan, replace(plan, players=(cortex,)))
    )
    try:
        for players in (together, alone):
            players.start_sources()
        first, second = together._running
        (other,) = alone._running
        # The second is ready later, and says so by no stamp of its own.
        assert second.info["t0"] == first.info["t0"] < other.info["t0"]
        assert "t0" not in {**first.options, **other.options}
    finally:
        for stop in [*together.stops(), *alone.stops()]:
            stop()
