"""The right person: whose visit it is, before anything starts or is written."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.runs.fits import RECORDING, enter_calibration, enter_fit, fit
from workbench import systems
from workbench.commands import build_parser
from workbench.dashboard import SessionPage, VisitService
from workbench.dashboard.decoder_facts import has_centre
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.messages import of, translate
from workbench.outcomes import load
from workbench.runs import approve
from workbench.study import Study
from workbench.vocabulary import Participant, Visit
from workbench.widgets import AssessmentForm, RecordStore

PASSWORD = "a long enough password"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three people: two simulated, one of them with a wristband, and one on hold."""
    made = tmp_path / "study"
    with Study.create(made, code="DESK", title="Desk", actor="test") as study:
        for name, more in (("P-041", {}), ("P-099", {"wristband": "099-7KQ"}), ("P-009", {"hold": "event open"})):
            study.append(Visit(study.append(Participant(name, simulated=True, **more)), "Month 1"))
    return made


@pytest.fixture
def service(folder: Path) -> VisitService:
    return VisitService(folder, operator="Chen L.")


def visits(service: VisitService) -> dict[str, str]:
    return {row["participant"]: row["visit"] for row in service.worklist()["rows"]}


def test_the_worklist_names_everybody_with_an_open_visit_and_what_stands_in_the_way(service: VisitService) -> None:
    rows = {row["participant"]: row for row in service.worklist()["rows"]}
    assert set(rows) == {"P-041", "P-099", "P-009"}
    assert (rows["P-041"]["state"], rows["P-009"]["state"]) == ("ready", "hold")
    assert rows["P-009"]["open"][0]["args"] == {"why": "event open"}


def test_a_study_without_people_says_what_starts_and_how_the_first_person_is_entered(
    service: VisitService,
) -> None:
    (hint,) = service.worklist()["hints"]
    assert (hint["key"], hint["args"]["operator"]) == ("worklist.hint.nobody", "Chen L.")
    words = shlex.split(hint["args"]["command"])
    assert words[:4] == ["workbench", "people", "add", str(service.folder)]
    assert build_parser().parse_args(words[1:]).run  # the command is one that there is
    assert service.details(visits(service)["P-041"])["blocked"] is None  # a script signs
    with service.record() as study:
        study.append(Visit(study.append(Participant("P-100")), "Month 1"))
    assert service.details(visits(service)["P-100"])["blocked"]["key"] == "worklist.blocked.nobody"
    with service.record() as study:
        study.add_person("lin", "Lin Q.", PASSWORD)
    assert service.worklist()["hints"] == []


@pytest.mark.parametrize("code", ["099-7KQ", "P-009"])
def test_the_code_of_somebody_else_confirms_nobody_and_names_both(service: VisitService, code: str) -> None:
    with pytest.raises(Refused, match=r"belongs to P-0\d9, not P-041. Nothing was started") as refused:
        service.confirm(visits(service)["P-041"], code)
    assert "而非 P-041" in translate(of(refused.value), language="zh-CN")
    assert service.confirmed == {}


@pytest.mark.parametrize("code", ["P-041x", "041", "P-099"])
def test_a_code_of_nobody_is_refused_also_the_pseudonym_of_who_has_a_wristband(
    service: VisitService, code: str
) -> None:
    with pytest.raises(Refused, match="belongs to nobody") as refused:
        service.confirm(visits(service)["P-041"], code)
    assert "不属于本研究的任何人" in translate(of(refused.value), language="zh-CN")


@pytest.mark.parametrize("wristband", ["099-7KQ", "p-041"])
def test_a_code_that_belongs_to_two_people_confirms_neither(service: VisitService, wristband: str) -> None:
    with service.record() as study:
        study.append(Visit(study.append(Participant("P-100", simulated=True, wristband=wristband)), "Month 1"))
    for name in ("P-100", "P-099" if wristband == "099-7KQ" else "P-041"):
        with pytest.raises(Refused, match="belongs to P-.* and P-100. Nothing was started") as refused:
            service.confirm(visits(service)[name], wristband)
        assert "同时属于 P-" in translate(of(refused.value), language="zh-CN")
    assert service.confirmed == {}


def test_the_record_names_who_read_the_code_not_who_signed_in_afterwards(
    folder: Path, service: VisitService, monkeypatch: Any
) -> None:
    monkeypatch.setattr("workbench.dashboard.visits.live.start", lambda plan, progress: _Client(plan))
    with service.record() as study:
        for login, name in (("lin", "Lin Q."), ("park", "Park J.")):
            study.add_person(login, name, PASSWORD)
    service.sign_in(login="lin", password=PASSWORD)
    service.confirm(visits(service)["P-099"], "099-7KQ")
    service.sign_in(login="park", password=PASSWORD)
    service.new_session()
    with service.record() as study:
        (session,) = study.rows("session")
    assert session["operator"] == "Park J."
    assert session["identity"].endswith(", Lin Q.")


def test_a_session_needs_a_confirmation_and_uses_it_up(service: VisitService, monkeypatch: Any) -> None:
    monkeypatch.setattr("workbench.dashboard.visits.live.start", lambda plan, progress: _Client(plan))
    with pytest.raises(Refused, match="no participant is confirmed"):
        service.new_session()
    service.confirm(visits(service)["P-099"], " 099-7kq ")
    plan = service.new_session().plan
    assert (plan.participant, plan.visit) == ("P-099", "Month 1")
    with pytest.raises(Refused, match="no participant is confirmed"):
        service.new_session()
    with service.record() as study:
        (session,) = study.rows("session")
    assert session["visit_id"] == visits(service)["P-099"]
    assert session["identity"].startswith("wristband, ")
    assert session["identity"].endswith("Chen L.")


class _Client:
    """The client of an engine that was not started: the plan it would have run."""

    def __init__(self, plan: Any) -> None:
        self.plan = plan

    def use_grants(self, issue: Any) -> None:
        self.issue = issue


def test_a_simulated_participant_is_offered_every_task_that_somebody_plays(service: VisitService) -> None:
    ids = visits(service)
    details = service.details(ids["P-041"])
    offered = [choice["key"] for choice in details["systems"]]
    played = [one for one in map(systems.load, systems.available()) if one.simulator is not None]
    assert offered == [f"{one.name} {task.name}" for one in played for task in one.tasks]
    assert details["system"] in offered
    checks = [one for one in details["plan"] if one["key"] == "worklist.plan.check"]
    assert [one["args"]["what"] for one in checks] == list(service.system.system.checks)
    with service.record() as study:
        real = study.append(Visit(study.append(Participant("P-100")), "Month 1"))
    assert service.details(real)["systems"] == []


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The key of a system of another package."""
    info = tmp_path / "site" / "other_hand-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other_hand\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workbench.systems]\nother_hand = other_hand\n")
    (tmp_path / "site" / "other_hand.py").write_text(
        "from dataclasses import replace\nfrom workbench import systems\n"
        "usual = systems.load(systems.USUAL)\n"
        "task = replace(usual.tasks[0], name='short', params={'attempt_s': 2.0})\n"
        "SYSTEM = replace(usual, name='other_hand', tasks=(task,))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "other_hand short"


def test_a_session_runs_what_was_chosen_and_every_other_page_takes_it_up(
    folder: Path, service: VisitService, other: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("workbench.dashboard.visits.live.start", lambda plan, progress: _Client(plan))
    service.confirm(visits(service)["P-041"], "P-041")
    service.choose_system(other)
    assert service.confirmed == {}  # it was confirmed for another session
    with pytest.raises(WorkbenchError, match="must be one of those offered"):
        service.choose_system("arm cued")
    service.confirm(visits(service)["P-041"], "P-041")
    plan = service.new_session().plan
    assert f"{plan.system['name']} {plan.system['task']}" == other
    second = VisitService(folder, operator="Okafor A.")
    assert second.system.key != other
    lock = {"session_id": plan.session_id}
    monkeypatch.setattr("workbench.dashboard.visits.live.find", lambda folder: lock)
    monkeypatch.setattr("workbench.dashboard.visits.live.attach", lambda folder: _Client(plan))
    with pytest.raises(Refused, match=f"the session under way runs {other}"):
        second.run_settings("calibration")
    assert second.connect() is not None
    assert second.system.key == other
    assert second.run_settings("calibration")["params"]["attempt_s"] == 2.0
    with pytest.raises(Refused, match="under way"):
        second.choose_system(other)


def test_every_procedure_of_the_system_is_offered_and_a_sham_needs_the_decoder_of_an_online_run(
    service: VisitService,
) -> None:
    kinds = {row["kind"]: row for row in service.run_kinds()}
    assert tuple(kinds) == service.system.system.procedures
    assert {kind for kind, row in kinds.items() if not row["ok"]} == {"online", "sham"}
    assert kinds["mapping"]["n_trials"] == 4
    assert service.run_settings("passive")["paradigm"] == service.system.paradigm
    assert service.run_settings("mapping")["params"] == {"levels": [0.25, 0.5, 0.75, 1.0]}
    with pytest.raises(Refused):
        service.run_settings("sham")


def test_a_page_says_that_the_file_of_its_system_has_changed(folder: Path) -> None:
    stated = systems.provenance(systems.load("neo_hand"))
    (folder / "system.json").write_text(json.dumps({**stated, "version": "0.0.1"}))
    assert (
        "was sci-bci-workbench 0.0.1" in VisitService(folder, operator="Chen L.").worklist()["hints"][-1]["text"]
    )


def test_a_participant_on_hold_is_confirmed_and_still_not_started(service: VisitService) -> None:
    service.confirm(visits(service)["P-009"], "P-009")
    with pytest.raises(Refused, match="on hold: event open"):
        service.new_session()


def test_where_people_can_sign_in_nobody_starts_or_decides_unsigned(folder: Path, service: VisitService) -> None:
    with Study.open(folder, actor="test") as study:
        study.add_person("lin", "Lin Q.", PASSWORD, roles=("engineer",))
    visit = visits(service)["P-041"]
    service.confirm(visit, "P-041")
    assert service.details(visit)["blocked"]["key"] == "worklist.blocked.sign_in"
    with pytest.raises(Refused, match="sign in first"):
        service.new_session()
    with pytest.raises(WorkbenchError):
        service.sign_in(login="lin", password="something else entirely")
    assert service.signed_in == ""
    service.sign_in(login="lin", password=PASSWORD)
    assert service.signed_in == "Lin Q."
    assert service.details(visit)["blocked"] is None
    service.sign_out()
    assert (service.signed_in, service.confirmed) == ("", {})


@pytest.fixture
def page(folder: Path) -> Iterator[SessionPage]:
    made = SessionPage(folder, operator="Chen L.")
    yield made
    made.screen.close()
    made.log.close()


def test_a_page_starts_only_the_visit_that_was_chosen_and_confirmed_on_it(page: SessionPage) -> None:
    ids = visits(page.service)
    assert page.worklist.answer("choose", {"visit": ids["P-041"]})["ok"]
    assert not page.worklist.answer("start", {"visit": ids["P-041"]})["ok"]
    assert page.worklist.answer("confirm", {"visit": ids["P-041"], "code": "P-041"})["ok"]
    assert page.screen.place["participant"] == "P-041"
    assert page.screen.place["confirmed"]
    assert not page.worklist.answer("start", {"visit": ids["P-099"]})["ok"]
    assert page.worklist.answer("choose", {"visit": ids["P-099"]})["ok"]  # another row takes the confirmation back
    assert page.service.confirmed == {}
    reply = page.screen.answer("start_session", {})
    assert "no participant is confirmed" in reply["text"]


def test_no_password_is_in_the_state_of_any_panel_of_the_page(page: SessionPage, folder: Path) -> None:
    with Study.open(folder, actor="test") as study:
        study.add_person("lin", "Lin Q.", PASSWORD, roles=("engineer",))
    reply = page.screen.answer("sign_in", {"login": "lin", "password": PASSWORD})
    assert reply["ok"]
    assert page.screen.place["signed_in"] == "Lin Q."
    states = [repr(panel.get_state()) for panel in (page.screen, page.worklist, page.log)]
    assert PASSWORD not in repr(reply) + "".join(states)
    assert page.screen.answer("sign_out", {})["ok"]
    assert page.screen.place["signed_in"] == ""


def test_the_forms_of_a_page_are_those_of_the_chosen_visit_and_say_so(page: SessionPage) -> None:
    ids = visits(page.service)
    assert not page.screen.answer("show", {"view": "assess"})["ok"]  # nobody is chosen
    page.worklist.choose(ids["P-099"])
    assert page.screen.answer("show", {"view": "assess"})["ok"]
    form = page.stage.children[-1]
    assert form.place == ["DESK", "P-099", "Month 1"]
    assert form._visit_id == ids["P-099"]
    page.worklist.choose(ids["P-041"])
    page.show("assess")
    assert page.stage.children[-1].place[1] == "P-041"


def test_the_page_of_forms_offers_every_visit_below_the_shell(folder: Path) -> None:
    page = SessionPage(folder, operator="Chen L.", forms=True)
    try:
        ids = visits(page.service)
        picker, form = page.stage.children[1:]
        assert page.stage.children[0] is page.screen
        assert (page.screen.place["view"], page.screen.place["participant"]) == ("assess", "P-009")
        assert {one[0] for one in picker.visits} == set(ids.values())
        assert picker.answer("choose", {"visit": ids["P-041"], "measure": "arat"})["ok"]
        form = page.stage.children[-1]
        shown = form._visit_id, form.place[1], page.screen.place["participant"]
        assert shown == (ids["P-041"], "P-041", "P-041")
    finally:
        page.screen.close()


def test_who_rates_has_signed_in_where_people_can(folder: Path, page: SessionPage) -> None:
    with page.service.record() as study:
        study.add_person("lin", "Lin Q.", PASSWORD)
    page.worklist.choose(visits(page.service)["P-041"])
    page.show("assess")
    reply = page.stage.children[-1].answer("enter", {"item": "grip_1", "value": 2})
    assert (reply["ok"], reply["text"][:13]) == (False, "sign in first")
    assert page.screen.answer("sign_in", {"login": "lin", "password": PASSWORD})["ok"]
    form = page.stage.children[-1]
    assert form.answer("enter", {"item": "grip_1", "value": 2})["ok"]
    assert form.fields["rater"] == "Lin Q."
    with page.service.record() as study:
        assert [one.person for one in study.drafts.list()] == ["Lin Q."]
    # Named on the worklist as on its screen.
    page.worklist.look()
    (row,) = [one for one in page.worklist.rows if one["participant"] == "P-041"]
    drafted = [point["args"] for point in row["open"] if point["key"] == "worklist.open.draft"]
    assert drafted == [{"form": "Action Research Arm Test"}]


def test_a_form_of_another_visit_takes_nothing_while_a_session_is_under_way(
    service: VisitService, folder: Path
) -> None:
    ids = visits(service)
    arat = load("arat")
    form = AssessmentForm.of(
        arat,
        store=RecordStore(service.record, visit_id=ids["P-041"], folder=folder),
        visit_id=ids["P-041"],
        rater="Chen L.",
        place=("DESK", "P-041", "Month 1"),
        session=lambda: (ids["P-099"], "P-099 · Month 1"),
    )
    for name, arguments in (
        ("enter", {"item": "grasp_1", "value": 3}),
        ("choose", {"name": "assisted", "value": False}),
        ("choose_side", {"side": "right"}),
        ("choose_field", {"name": "blinded", "value": "yes"}),
        ("save", {}),
        ("clear", {"confirmed": True}),
        ("correct", {"field": "grasp_1", "value": 2, "reason": "typo"}),
    ):
        reply = form.answer(name, arguments)
        assert not reply["ok"], name
        assert "this form belongs to P-041 · Month 1, the session on this computer to P-099" in reply["text"]
    with service.record() as study:
        assert study.rows("assessment") == []


def test_a_fit_waits_on_every_page_until_one_of_them_decides_once(folder: Path, page: SessionPage) -> None:
    visit = visits(page.service)["P-041"]
    sha256 = enter_fit(folder, visit)
    other = SessionPage(folder, operator="Okafor A.")
    try:
        for one in (page, other):
            one.worklist.choose(visit)
            one.show("approve")
            assert one.screen.place["badges"] == {"approve": 1}
            assert one.stage.children[-1].fit["sha256"] == sha256
        decide = {"sha256": sha256, "decision": "reject", "reason": "pattern over the neck muscles"}
        assert page.stage.children[-1].answer("decide", decide)["ok"]
        other.refresh()
        decision = other.stage.children[-1].decision
        assert (decision["decision"], decision["reason"]) == ("reject", "pattern over the neck muscles")
        assert "Chen L." in decision["by"]
        assert other.screen.place["badges"] == {}
        assert "decided already" in other.stage.children[-1].answer("decide", decide)["text"]
    finally:
        other.screen.close()
        other.log.close()


def test_a_recording_is_fitted_once_however_many_pages_are_open(
    folder: Path, service: VisitService, monkeypatch: Any
) -> None:
    enter_calibration(folder, visits(service)["P-041"])
    made, another_waits = [], threading.Event()

    def run_fit(
        _folder: Path, recordings: list[Path], name: str, params: Any, *, progress: Any, last: Path | None
    ) -> dict[str, Any]:
        assert last is None
        made.append(recordings)
        assert another_waits.wait(20)
        fitted = fit(folder)
        return fitted | {"name": name, "metrics": fitted["metrics"] | {"params": dict(params)}}

    def ask(page: VisitService) -> str:
        return page.fit(RECORDING, progress=lambda share: another_waits.set())

    monkeypatch.setattr("workbench.dashboard.visits.runs.run_fit", run_fit)
    other = VisitService(folder, operator="Okafor A.")
    with ThreadPoolExecutor() as pages:
        first, second = pages.map(ask, (service, other))
    assert first == second == ask(VisitService(folder, operator="Smith B."))
    assert made == [[folder / RECORDING]]
    with service.record() as study:
        (decoder,) = study.rows("decoder")
        assert decoder["sha256"] == first
        recipe = (decoder["recordings"], decoder["name"])
        assert approve.entered(study, *recipe, service.system.decoder_params) == first
        assert approve.entered(study, *recipe, {"window_s": 9.0}) == ""
        assert approve.entered(study, ["another"], decoder["name"], service.system.decoder_params) == ""


def test_decoder_and_result_of_somebody_else_leave_the_page_with_them(folder: Path, page: SessionPage) -> None:
    ids = visits(page.service)
    enter_fit(folder, ids["P-041"])
    page.worklist.choose(ids["P-041"])
    page.show("approve")
    decoder = page.stage.children[-1]
    page._show_run("c1")
    assert page.stage.children[-1].result["participant"] == "P-041"
    page.worklist.choose(ids["P-099"])
    assert "result" not in page.screen.place["views"]
    page.show("approve")
    assert (page.screen.place["participant"], page.stage.children[-1].fit["sha256"]) == ("P-099", "")
    assert page.stage.children[-1] is not decoder
    # A run leads to the person whose run it was, whoever was chosen.
    page._show_run("c1")
    assert (page.screen.place["participant"], page.stage.children[-1].result["participant"]) == ("P-041", "P-041")
    # While it is looked at, somebody else is chosen elsewhere: the page goes to the list.
    page.service.choose(ids["P-099"])
    page.refresh()
    assert page.stage.children[-1] is page.worklist
    assert (page.worklist.chosen, page.screen.place["participant"]) == (ids["P-099"], "P-099")


def test_a_page_reads_the_record_again_only_when_it_has_changed(folder: Path, page: SessionPage) -> None:
    page.screen.close()  # nothing else looks
    page._run_kinds()
    shown = page._run_kinds()
    assert page._run_kinds() is shown
    visit = visits(page.service)["P-041"]
    assert page._run_kinds() is shown
    page.service.choose(visit)
    assert page._run_kinds() is not shown
    assert page.screen.place["participant"] == "P-041"
    enter_fit(folder, visit)
    page._run_kinds()
    assert page.screen.place["badges"] == {"approve": 1}


def test_before_light_flickers_a_person_is_asked_about_seizures_and_the_answer_has_a_name(folder: Path) -> None:
    service = VisitService(folder, systems.simulate(systems.load("selection_ssvep")), operator="Chen L.")
    with service.record() as study:
        study.append(Visit(study.append(Participant("P-200")), "Month 1"))
    rows = visits(service)
    assert service.details(rows["P-041"])["screening"] is None
    assert service.details(rows["P-200"])["screening"]["answer"] == ""
    with pytest.raises(BadValue, match="'none' or 'history'"):
        service.screen(rows["P-200"], "perhaps")
    service.screen(rows["P-200"], "history")
    known = service.details(rows["P-200"])["screening"]
    assert (known["answer"], known["by"]) == ("history", "Chen L.")
    still = VisitService(folder, operator="Chen L.")
    assert still.details(rows["P-200"])["screening"] is None


@pytest.mark.parametrize(
    ("name", "metrics", "centre"),
    [
        ("bandpower_ridge", {}, True),
        ("csp_lda", {}, False),
        ("gating", {"params": {"members": {"signal": {"decoder": "bandpower_ridge"}, "emg": {}}}}, True),
        ("late_fusion", {"params": {"members": {"signal": {"decoder": "csp_lda"}, "emg": {}}}}, False),
        # One that was re-centred before names no members, and can be once more.
        ("gating", {"recentred": ["signal"]}, True),
        ("of_another_package", {}, False),
    ],
)
def test_re_centring_is_offered_where_the_decoder_of_the_signal_has_a_centre(name, metrics, centre):
    assert has_centre({"name": name, "metrics": metrics}) is centre
