"""Whole sessions in virtual time: the same seed lives the same life, and what is planted is found."""

from __future__ import annotations

import re

import pytest

from workbench import commands
from workbench.control import SafeStep
from workbench.devices._glove import GloveModel
from workbench.simulation import Life, template

KILLED_WHEN_MOVED = ((1.0, "kill engine when moved"),)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study with an approved decoder, from which every life begins."""
    return template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def lived(made):
    """The life of one seed."""
    return Life(11, seconds=12.0, template=made).live()


def test_a_seed_breaks_no_rule_and_orders_were_given(lived):
    assert lived.broken == ()
    assert lived.orders > 0


def test_the_same_seed_lives_the_same_life(made, lived):
    again = Life(11, seconds=12.0, template=made).live()
    assert (again.trace, again.events, again.story) == (lived.trace, lived.events, lived.story)


def test_the_command_tells_what_happened_in_each_life(capsys):
    assert commands.main(["simulate", "--seed", "12", "--lives", "2", "--seconds", "3", "--story"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].endswith("0 broke a rule")
    assert said.count("a session starts") == 2
    traces = re.findall(r"^seed 1[23]: .* trace (\w{16})$", said, re.MULTILINE)
    assert len(set(traces)) == 2


@pytest.mark.parametrize(("option", "value"), [("--lives", "0"), ("--seconds", "0.5"), ("--hours", "-1")])
def test_lives_that_cannot_be_are_refused(option, value, capsys):
    assert commands.main(["simulate", option, value]) == 2
    assert f"{option} must be" in capsys.readouterr().err


def test_a_device_that_keeps_its_pressure_without_an_engine_is_found(made, monkeypatch):
    monkeypatch.setattr(GloveModel, "_safe_steps", lambda self: (SafeStep("hold", keep_level=True),))
    lives = (Life(seed, seconds=20.0, template=made, strokes=KILLED_WHEN_MOVED).live() for seed in range(11, 16))
    assert any(
        broken.rule == "a device that hears nothing becomes safe" for lived in lives for broken in lived.broken
    )
