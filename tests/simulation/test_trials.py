"""Lives of a trial: the same seed lives the same weeks, no rule breaks, and what is planted is found."""

from __future__ import annotations

import sqlite3

import pytest

from tests.shares import some
from tests.simulation.test_luck import lived_through
from workbench import commands, world
from workbench.errors import BadValue
from workbench.simulation import TrialLife, clinic_of, template
from workbench.simulation.acts import Asked
from workbench.simulation.clinic import STAFF
from workbench.simulation.shadow import Shadow
from workbench.study import allocations, applying, implants, locks, writer
from workbench.study.changes import consents, signing
from workbench.study.changes.protocols import Enrol

DAY_S = 86400.0


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A study in which a trial begins, without sessions."""
    return clinic_of(tmp_path_factory.mktemp("clinic"))


def lived(clinic, seed, *, days=3.0, strokes=None):
    return TrialLife(seed, seconds=days * DAY_S, template=clinic, strokes=strokes).live()


@pytest.mark.job
def test_the_same_seed_lives_the_same_weeks_of_a_trial(clinic):
    first, again = (lived(clinic, 7) for _ in range(2))
    assert first.changes > 20
    assert (first.trace, first.story, first.broken) == (again.trace, again.story, ())
    assert lived(clinic, 8).trace != first.trace


STROKES = ("power loss at a write", "kill at a write", "disk failing at a write", "closing", "backup")


@pytest.mark.job
@pytest.mark.parametrize("stroke", some(STROKES))
def test_a_trial_with_one_stroke_while_everybody_is_busy_breaks_no_rule(clinic, stroke):
    came = lived(clinic, STROKES.index(stroke), days=1.0, strokes=((DAY_S / 2, stroke),))
    assert came.broken == ()
    assert any(stroke in what for _, what in came.story)


@pytest.mark.release
@pytest.mark.parametrize("seed", range(200, 210))
def test_two_weeks_of_a_trial_break_no_rule(clinic, seed):
    assert lived(clinic, seed, days=14.0).broken == ()


FOUND_BEFORE = ((1, 14), (2, 14), (24, 14), (64, 14), (71, 14), (12, 14), (230020, 14), (230032, 14), (320011, 14))
"""Seeds and days of lives that once broke a rule."""


@pytest.mark.release
@pytest.mark.parametrize(("seed", "days"), FOUND_BEFORE)
def test_a_trial_that_once_broke_a_rule_breaks_none(clinic, seed, days):
    assert lived(clinic, seed, days=days).broken == ()


PLANTED = {
    "no change by somebody without the role": (applying, "_refusal", lambda *_: None),
    "nothing is written under a lock": (locks, "refuse", lambda *_: None),
    "an arm is told to whom it may be told": (allocations, "blinded", lambda *_: None),
    "a withdrawn consent blocks at once": (consents, "withdrawn", lambda *_: {}),
    "nobody's change is written over unseen": (writer, "refuse_changed", lambda *_: None),
    "a signature on changed rows is stale": (signing, "state", lambda *_: "valid"),
    "checks of an implant stand where": (implants, "_state", lambda *_: "due"),
}
"""A fault by the rule that finds it: what is replaced, and by what."""


@pytest.mark.release
@pytest.mark.parametrize("rule", PLANTED)
def test_a_fault_of_the_record_is_found(clinic, monkeypatch, rule):
    monkeypatch.setattr(*PLANTED[rule])
    lives = (lived(clinic, seed, days=10.0) for seed in range(1, 12))
    assert any(broken.rule.startswith(rule) for life in lives for broken in life.broken)


def test_an_entry_that_is_gone_and_a_row_that_was_changed_past_the_chain_are_found(clinic, tmp_path):
    file = sqlite3.connect(tmp_path / "study.db")
    with sqlite3.connect(clinic.folder / "study" / "study.db") as whole:
        whole.backup(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(clinic.folder / "keys"))
        shadow = Shadow(tmp_path)
        entries = list(shadow.read())
        assert (len(entries), shadow.problems) == (shadow.seq, [])
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {trigger}")
        with file:
            file.execute("UPDATE participant SET pseudonym = 'S-X' WHERE pseudonym = 'S-000A'")
        again = Shadow(tmp_path)
        list(again.read())
        assert [problem.split()[0] for problem in again.problems] == ["participant"]
        with file:
            file.execute("DELETE FROM audit WHERE seq = ?", (shadow.seq,))
        list(shadow.read())
        assert shadow.problems == [f"entry {shadow.seq} was there and is gone"]
        shadow.close()
        again.close()
    file.close()


def test_of_two_clicks_for_the_same_change_the_one_that_is_answered_lands(clinic):
    watcher = TrialLife(1, seconds=DAY_S, template=clinic).watcher
    asked = Asked(Enrol("someone", "S-1"), (STAFF[0],), "")
    first, second = watcher.asks(asked), watcher.asks(asked)
    watcher._landed(second)
    (flying,) = watcher._flying[STAFF[0].name]
    assert flying is first
    watcher.shadow.close()


def test_who_waits_for_a_record_waits_in_the_time_of_the_world(tmp_path):
    came = []

    def body(made):
        one, other = (world.disk.database(tmp_path / "rows.db", timeout=5.0) for _ in range(2))
        one.execute("CREATE TABLE t (x)")
        for held_s in (2.0, 30.0):
            one.execute("BEGIN IMMEDIATE")
            made.scheduler.after(held_s, one.rollback)
            began = world.clock.monotonic()
            try:
                other.execute("BEGIN IMMEDIATE")
                other.rollback()
                came.append(("has it", round(world.clock.monotonic() - began, 1)))
            except sqlite3.OperationalError as error:
                came.append((str(error), round(world.clock.monotonic() - began, 1)))
        one.close()
        other.close()

    lived_through(body)
    assert came == [("has it", 2.0), ("database is locked", 5.0)]


def test_the_local_time_of_a_computer_is_that_of_its_zone():
    said = []

    def body(made):
        made.desk.zone_s = -5 * 3600
        said.append(world.clock.local())

    lived_through(body)
    assert (f"{said[0]:%z}", said[0].hour) == ("-0500", 19)


def test_a_trial_of_another_system_or_with_a_decoder_that_adapts_is_refused(tmp_path, capsys):
    for more in ({"system": "cursor"}, {"adapts": "pmean"}):
        with pytest.raises(BadValue, match="--depth trial is for neo_hand"):
            template(tmp_path, depth="trial", **more)
    assert commands.main(["simulate", "--depth", "trial", "--seconds", "1e9"]) == 2
    assert "--seconds must be 1 to 34560000" in capsys.readouterr().err
