"""What an operator gets who looks for streams again: what is missing, what was lost, and what only fell silent."""

from __future__ import annotations

import uuid

import pytest

from tests.live.plans import planned
from workbench.devices import lsl
from workbench.engine.session import Session
from workbench.vocabulary import StreamSpec

GRIP = StreamSpec(
    "grip", "Force", 100.0, ("a",), "N", source_id=f"grip-{uuid.uuid4()}", role="aux", critical=False
)


@pytest.fixture
def session(tmp_path):
    """A session whose signal is there and whose sensor of the grip was not found."""
    engine_folder, plan = planned(tmp_path, GRIP)
    made = Session(engine_folder, plan)
    made.streams.signal.state = "good"
    yield made
    made.close()


def until_found(session):
    """Look again until nothing is missing: on a busy computer one look may be too short."""
    while session.connections.reconnect(by="Chen L."):
        pass


def test_who_looks_again_gets_what_was_missing_and_what_was_lost_and_leaves_what_only_fell_silent(session):
    grip, rows = session.streams["grip"], session.ledger
    assert session.connections.reconnect(by="Chen L.") == ["grip"]
    assert (grip.state, [row["kind"] for row in rows.shown()]) == ("missing", ["stream_missing"])
    outlet = lsl.Outlet(GRIP)
    until_found(session)
    assert (grip.state, grip.gone) == ("good", False)
    # Its own inlet brings it back, with its next sample; one that was closed would lose what is on its way.
    first, grip.state = session.inlets.open["grip"], "lost"
    assert session.connections.reconnect(by="Chen L.") == ["grip"]
    assert session.inlets.open["grip"] is first
    session.connections.lose_outlet("grip", "the outlet is gone")
    outlet.close()
    outlet = lsl.Outlet(GRIP)
    try:
        until_found(session)
        assert session.inlets.open["grip"] is not first
        # Until its first sample nobody knows whether it delivers.
        assert (grip.state, grip.gone) == ("lost", False)
        (taken,) = [row for row in rows.shown() if row["kind"] == "outlet_taken"]
        assert "Chen L." in taken["consequence"]
        assert session.connections.reconnect(by="Chen L.") == ["grip"]
    finally:
        outlet.close()
