"""The page of a map in a real browser, with the service behind it: by keyboard, in both languages, STOP there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stimulation.worked import definition
from tests.widgets.test_clinic import axe
from workbench import messages
from workbench.dashboard import MappingService
from workbench.errors import Refused
from workbench.study import Study
from workbench.study.changes import AdoptStimulationLimits
from workbench.vocabulary import Participant, Visit
from workbench.widgets import ContactMap

pytestmark = pytest.mark.job

MUSCLES = ["left quadriceps", "left hamstrings", "right quadriceps", "right hamstrings"]


def study_of(folder: Path, *, contacts: int = 2) -> Path:
    """A simulated participant, and a lead with so many contacts in force."""
    with Study.create(folder, code="LEAD", title="lead", actor="tests") as study:
        person = study.append(Participant("SIM-01", simulated=True, injury_level="T10"))
        study.append(Visit(person, "week 1"))
        signers = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B")]
        study.apply(AdoptStimulationLimits(definition(contacts=contacts)), signers, "tests")
    return folder


def service_of(folder: Path) -> MappingService:
    """Its thread is the test."""
    return MappingService(folder, operator="Chen L.", speed=200.0, follow=False)


def ramped(service: MappingService) -> None:
    service.here()
    while service.advance(paced=False):
        service.here()


class Shown:
    """A mounted page and the panel behind it."""

    def __init__(self, mount: Callable[..., Any], service: MappingService, **traits: Any) -> None:
        self.service, self.panel = service, ContactMap(service)
        self.page = mount(ContactMap, self.traits(**traits), width=1280, height=800)

    def traits(self, **more: Any) -> dict[str, Any]:
        return {"state": messages.carried(self.panel.state), "curves": messages.carried(self.panel.curves), **more}

    def answer(self) -> list[str]:
        """Carry out what was pressed, and show what came of it; the names of the requests."""
        asked = []
        for message in self.page.evaluate("window.sent.splice(0)"):
            reply = messages.carried(self.panel.answer(message["name"], message["args"]))
            self.page.evaluate("reply => window.say(reply)", {**reply, "id": message["id"]})
            asked += [] if message["name"] == "here" else [message["args"].get("name", message["name"])]
        self.show()
        return asked

    def show(self) -> None:
        self.page.evaluate("traits => window.put(traits)", self.traits())

    def key(self, name: str) -> list[str]:
        self.page.keyboard.press(name)
        return self.answer()


@pytest.fixture
def service(tmp_path: Path) -> MappingService:
    return service_of(study_of(tmp_path / "study"))


@pytest.mark.job
def test_a_lead_is_mapped_and_recorded_by_keyboard_alone(
    mount: Callable[..., Any], service: MappingService, tmp_path: Path
) -> None:
    service.plan("paddle-16", MUSCLES, 6.0, 300.0)
    shown = Shown(mount, service)
    page = shown.page
    assert page.locator("[data-name=simulated]").is_visible()
    for n in range(2):
        assert shown.key("Enter") == ["start"]
        assert page.locator("[data-name=stop]").is_visible()
        ramped(service)
        shown.show()
        assert page.locator(f"[data-box='0-{n}'] .curve").count() == 1
        assert shown.key("Enter") == ["accept"]
    assert axe(page) == []
    # Arrows walk the boxes, Space chooses; pressed again it is left to the rule.
    page.locator("[data-box='0-0']").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.box") == "0-1"
    page.evaluate("document.activeElement.blur()")
    assert shown.key("Enter") == ["record"]
    with Study.open(tmp_path / "study", actor="tests") as study:
        (row,) = study.rows("contact_map")
        assert (row["electrode"], row["limits_version"], row["simulated"]) == ("paddle-16", 1, True)
        assert row["by"].startswith("Chen L.")
        assert len(row["result"]["contacts"]) == 2
    shown.show()
    assert "Chen L." in page.inner_text(".question")
    assert page.errors == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_plan_and_map_fit_the_screen_and_every_word_is_in_the_language(
    mount: Callable[..., Any], service: MappingService, language: str
) -> None:
    for begun in (False, True):
        if begun:
            service.plan("paddle-16", MUSCLES, 6.0, 300.0)
        page = Shown(mount, service, language=language).page
        text = page.locator(".wb").inner_text()
        assert "cmap." not in text
        assert "{" not in text
        size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert (size[0] <= 1280, size[1] <= 800) == (True, True)
        assert begun == page.locator("[data-name=stop]").is_visible()


def test_escape_is_stop_and_a_refusal_is_shown_with_its_rule_value_and_limit(
    mount: Callable[..., Any], service: MappingService
) -> None:
    shown = Shown(mount, service)
    page = shown.page
    page.fill("[data-name=top-ma]", "7")
    page.locator("[data-name=begin]").press("Enter")
    assert shown.answer() == ["plan"]
    problem = page.inner_text("[data-name=problem]")
    assert "2.1 µC" in problem
    assert "1.8 µC" in problem
    page.fill("[data-name=top-ma]", "6")
    page.locator("[data-name=begin]").press("Enter")
    assert shown.answer() == ["plan"]
    assert shown.key("Enter") == ["start"]
    service.here()
    service.advance(paced=False)
    shown.show()
    assert shown.key("Escape") == ["stop"]
    assert (service.wizard.phase, service.wizard.bench.state) == ("halted", "ESTOP")
    assert page.locator(".question [data-name=go_on]").is_visible()
    assert shown.key("Enter") == ["go_on"]
    assert shown.key("c") == ["start"]
    service.here()
    service.advance(paced=False)
    shown.show()
    assert shown.key("d") == ["discomfort"]
    assert service.wizard.phase == "halted"
    assert page.errors == []


def test_whoever_presses_start_is_there_even_if_the_page_was_not_heard_for_long(service: MappingService) -> None:
    service.plan("paddle-16", MUSCLES, 6.0, 300.0)
    service._seen_at -= 60.0
    service.act("start")
    assert service.advance(paced=False)
    service._seen_at -= 60.0
    assert not service.advance(paced=False)
    service.act("stop")
    service.act("go_on")
    service.act("start")
    assert service.advance(paced=False)


def test_a_page_that_is_loaded_again_goes_on_and_the_one_before_gives_nothing_more(tmp_path: Path) -> None:
    first = service_of(study_of(tmp_path / "study"))
    first.plan("paddle-16", MUSCLES, 6.0, 300.0)
    first.act("start")
    ramped(first)
    first.act("accept")
    second = service_of(tmp_path / "study")
    assert second.wizard.accepted == first.wizard.accepted
    with pytest.raises(Refused, match="Another page"):
        first.act("skip", reason="x")
    first.wizard.phase = "ready"
    first.act("start")
    asked = len(first.wizard.bench.rows)
    first.here()
    first.advance(paced=False)
    assert first.wizard.phase == "halted"
    assert not [row for row in first.wizard.bench.rows[asked:] if row.kind == "stimulation_asked"]
    # What was left is gone on with, or given up for another; its charge counts on.
    second.leave()
    assert second.state()["left"] == 1
    second.plan("paddle-16", MUSCLES, 4.0, 300.0)
    kept = json.loads(next((tmp_path / "study" / "engine").glob("mapping-*.json")).read_text())
    assert kept["charge_uc"]["0"] >= first.wizard.bench.used_uc()[0] > 0
    with pytest.raises(Refused, match="must be one of|allowed"):
        second.act("_save")


def test_a_study_without_a_simulated_participant_or_limits_is_told_so(tmp_path: Path) -> None:
    with Study.create(tmp_path / "study", code="LEAD", title="lead", actor="tests") as study:
        study.append(Visit(study.append(Participant("P-1")), "v"))
    with pytest.raises(Refused, match="simulated devices alone"):
        service_of(tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tests") as study:
        study.append(Visit(study.append(Participant("SIM", simulated=True)), "v"))
    service = service_of(tmp_path / "study")
    assert service.state()["offers"] == []
    with pytest.raises(Refused, match="paddle-16"):
        service.plan("paddle-16", MUSCLES, 6.0, 300.0)
