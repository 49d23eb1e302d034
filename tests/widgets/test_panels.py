"""The panels beside the live screen: they ask, others compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench import analysis, outcomes
from workbench.errors import BadValue
from workbench.vocabulary import Assessment, Trial
from workbench.widgets import AssessmentForm, DecoderPanel, LogView, SetupPanel

CHOSEN = {"assisted": False, "device_on": True, "stimulation_on": False}
SHA = "3f9a71c208de4b15a6f092bb5c17e3d47a801f66" + "0" * 24


# ------------------------------------------------------------------------------------ assessment form
def form(saved: list[Assessment] | None = None) -> AssessmentForm:
    def save(assessment: Assessment) -> str:
        (saved if saved is not None else []).append(assessment)
        return "Saved as assessment 12."

    arat = outcomes.load("arat")
    return AssessmentForm(
        arat.definition, score=lambda items: arat.score(items), save=save, visit_id="v-1", rater="Chen L."
    )


def test_the_condition_has_no_default_and_is_needed_to_save() -> None:
    made = form()
    assert made.condition == {}
    reply = made.answer("save", {})
    assert not reply["ok"]
    assert all(name in reply["text"] for name in (*CHOSEN, "side"))


def test_an_assessment_is_saved_with_items_condition_side_and_the_score_of_the_measure() -> None:
    saved: list[Assessment] = []
    made = form(saved)
    for item in made._definition.items:
        assert made.answer("enter", {"item": item.code, "value": 2})["ok"]
    for name, value in CHOSEN.items():
        assert made.answer("choose", {"name": name, "value": value})["ok"]
    assert made.answer("choose_side", {"side": "right"})["ok"]
    reply = made.answer("save", {})
    assert (reply["ok"], made.saved) == (True, "Saved as assessment 12.")
    (only,) = saved
    assert (only.measure, only.side, only.state, only.rater) == ("arat", "right", "complete", "Chen L.")
    assert (only.condition.assisted, only.condition.device_on, only.condition.stimulation_on) == (
        False,
        True,
        False,
    )
    assert only.score["total"]["value"] == 38
    assert set(only.items.values()) == {2}


def test_running_subscores_come_from_the_measure_and_missing_items_are_not_zero() -> None:
    made = form()
    for number in range(1, 5):
        made.enter(f"grip_{number}", 3)
    assert made.result["subscores"]["grip"]["value"] == 12
    assert made.result["total"]["status"] == "ND"
    made.enter("grip_2", None)
    assert made.result["subscores"]["grip"]["status"] == "ND"


@pytest.mark.parametrize("value", [4, -1, "2", 1.5, True])
def test_an_impossible_value_is_refused_with_what_is_allowed(value: Any) -> None:
    made = form()
    reply = made.answer("enter", {"item": "grip_1", "value": value})
    assert not reply["ok"]
    assert "0, 1, 2, 3" in reply["text"]
    assert made.items == {}


def test_a_saved_assessment_is_closed_and_a_new_one_starts_empty() -> None:
    made = form([])
    for name, value in CHOSEN.items():
        made.choose(name, value=value)
    made.choose_side("left")
    made.save()
    assert "is saved" in made.answer("enter", {"item": "grip_1", "value": 1})["text"]
    assert made.answer("new", {})["ok"]
    assert (made.items, made.condition, made.side, made.saved) == ({}, {}, "", "")


def test_an_open_item_makes_the_assessment_incomplete_not_zero() -> None:
    saved: list[Assessment] = []
    made = form(saved)
    made.enter("grasp_1", 3)
    for name, value in CHOSEN.items():
        made.choose(name, value=value)
    made.choose_side("left")
    made.save()
    assert saved[0].state == "incomplete"
    assert saved[0].items["grasp_2"] is None


# --------------------------------------------------------------------------------------- decoder panel
def trials(right: int, n: int) -> list[Trial]:
    names = ("left", "right")
    return [
        Trial(
            i,
            names[i % 2],
            0,
            0.0,
            1,
            "correct" if i < right else "wrong",
            names[i % 2 if i < right else 1 - i % 2],
        )
        for i in range(n)
    ]


SIGNED = {"decision": "approve", "by": "Park J.", "at": "2026-11-22 15:08", "reason": ""}


def panel(right: int, *, decide: Any = lambda *a, **k: SIGNED, checks: Any = ()) -> DecoderPanel:
    runs = {"Run 1": trials(right, 20)}
    classes = ("left", "right")
    return DecoderPanel(
        SHA,
        name="csp_lda",
        accuracies={name: analysis.accuracy(one, classes) for name, one in runs.items()},
        confusions=analysis.confusion_by_run(runs, classes),
        decide=decide,
        checks=checks,
    )


def ask(made: DecoderPanel, decision: str = "approve", sha: str = SHA, **more: str) -> dict[str, Any]:
    return made.answer("decide", {"sha256": sha, "decision": decision, **more})


def test_a_decoder_is_decided_by_its_hash_once() -> None:
    asked: list[Any] = []
    made = panel(18, decide=lambda sha, **more: asked.append((sha, more)) or SIGNED)
    assert "approval names decoder" in ask(made, sha="0" * 64)["text"]
    assert "approve or reject" in ask(made, "maybe")["text"]
    assert ask(made, password="secret")["ok"]
    assert asked == [(SHA, {"decision": "approve", "reason": "", "password": "secret"})]
    assert made.decision == SIGNED
    assert "decided already, by Park J." in ask(made)["text"]


def test_a_decision_on_another_page_takes_the_buttons_of_this_one() -> None:
    made = panel(18)
    made.decided(SIGNED)
    assert "decided already" in ask(made, "reject", reason="late")["text"]


def test_what_else_is_offered_names_the_decoder_that_is_shown() -> None:
    asked: list[str] = []
    made = DecoderPanel(SHA, name="x", accuracies={}, actions={"recentre": asked.append})
    assert made.fit["actions"] == ["recentre"]
    assert "approval names decoder" in made.answer("recentre", {"sha256": "0" * 64})["text"]
    assert made.answer("recentre", {"sha256": SHA})["ok"]
    assert asked == [SHA]
    assert not made.answer("another", {"sha256": SHA})["ok"]


def test_no_password_is_in_the_state_of_a_page_nor_in_its_answer() -> None:
    made = panel(18)
    reply = ask(made, password="correct horse")
    assert "correct horse" not in repr(reply) + repr(made.get_state())


def test_a_decoder_at_chance_cannot_be_approved_and_can_be_rejected() -> None:
    made = panel(12)
    assert made.fit["accuracies"][0]["above"] is False
    assert not ask(made)["ok"]
    assert ask(made, "reject", reason="at chance")["ok"]


def test_a_warning_and_a_rejection_need_a_reason_and_a_failed_check_blocks() -> None:
    made = panel(18, checks=[{"name": "noise", "state": "warn", "text": "E6 had line noise"}])
    assert "a reason is needed" in ask(made)["text"]
    assert "a reason is needed" in ask(made, "reject", reason="  ")["text"]
    assert ask(made, reason="E6 carries 2 % of the weight")["ok"]
    made = panel(18, checks=[{"name": "replay", "state": "fail", "text": "replay gave other decisions"}])
    assert "replay gave other decisions" in ask(made, reason="never mind")["text"]


def test_accuracy_is_shown_beside_its_interval_and_chance_limit() -> None:
    (row,) = panel(18).fit["accuracies"]
    assert (row["correct"], row["n"], row["limit"], row["above"]) == (18, 20, 15, True)
    assert 0.6 < row["low"] < row["value"] < row["high"] < 1


def test_matrices_arrive_with_shares_and_sums_and_a_column_for_what_was_not_decided() -> None:
    counts = {"run": "1", "labels": ["rest", "grasp"], "counts": [[3, 1], [0, 2]], "undecided": [0, 2]}
    made = DecoderPanel(SHA, name="x", accuracies={}, confusions=[counts])
    (matrix,) = made.fit["confusions"]
    assert matrix["columns"] == ["rest", "grasp", ""]
    assert matrix["counts"] == [[3, 1, 0], [0, 2, 2]]
    assert matrix["shares"] == [[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]]
    assert (matrix["right"], matrix["n"]) == (5, 8)
    plain = DecoderPanel(SHA, name="x", accuracies={}, confusions=[counts | {"undecided": [0, 0]}])
    assert plain.fit["confusions"][0]["columns"] == ["rest", "grasp"]


@pytest.mark.parametrize("adapts", [None, {"rule": "recentre", "bound": 2.0}])
def test_the_panel_of_a_fit_carries_rule_and_bound_of_its_decoder(adapts: dict[str, Any] | None) -> None:
    metrics = {"correct": 18, "n": 20, "accuracy": 0.9, "interval": [0.7, 0.97], "chance_limit": 15}
    metrics |= {"classes": ["rest", "grasp"], "confusion": [], "validation": "leave one run out"}
    fitted = {"sha256": SHA, "name": "riemann_mdm", "metrics": metrics | {"adapts": adapts}}
    assert DecoderPanel.of_fit(fitted).adapts == (adapts or {})
    earlier = {**fitted, "metrics": metrics}
    assert DecoderPanel.of_fit(earlier).adapts == {}
    assert DecoderPanel.of_fit(earlier).fit["held_out"] == {}


# ------------------------------------------------------------------------------------------ set-up
class Setting:
    """A set-up that refuses or not, and counts what it was asked."""

    def __init__(self, refusal: str | None = None) -> None:
        self.asked: list[str] = []
        self._refusal = refusal

    def state(self) -> dict[str, Any]:
        return {"site": "main", "connections": [{"role": "signal", "name": "amp"}], "problems": []}

    def refusal(self) -> str | None:
        return self._refusal

    def __getattr__(self, name: str) -> Any:
        def step(**_: Any) -> None:
            self.asked.append(name)
            if name == "assign":
                raise BadValue("no such stream")

        step.__name__ = name
        return step


def test_a_step_of_a_set_up_is_answered_after_its_new_state_also_when_it_is_refused() -> None:
    service = Setting()
    panel = SetupPanel(service)
    panel.setup = {}
    assert panel.answer("look", {})["ok"]
    assert panel.setup["site"] == "main"
    panel.setup = {}
    assert panel.answer("assign", {"uid": "1", "role": "signal"})["text"] == "no such stream"
    assert panel.setup["site"] == "main"
    assert service.asked == ["look", "assign"]


def test_a_session_starts_from_a_set_up_only_when_neither_it_nor_the_page_is_in_the_way() -> None:
    started: list[int] = []

    def start() -> None:
        started.append(1)

    assert "no session starts from here" in SetupPanel(Setting()).answer("start", {})["text"]
    saved = SetupPanel(Setting("save it first"), start=start)
    assert saved.answer("start", {})["text"] == saved.setup["start"]["why"] == "save it first"
    page = SetupPanel(Setting(), start=start, blocked=lambda: "no code was read")
    assert page.answer("start", {})["text"] == "no code was read"
    assert started == []
    assert SetupPanel(Setting(), start=start).answer("start", {})["ok"]
    assert started == [1]


# ------------------------------------------------------------------------------------------------- log
def test_a_log_is_followed_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    path.write_text("first\nsecond\nhal", encoding="utf-8")
    view = LogView(path, period_s=600)
    assert view.lines == ["first", "second"]
    with path.open("a", encoding="utf-8") as file:
        file.write("f\n")
    view.look()
    assert view.lines == ["first", "second", "half"]
    view.append("said here")
    assert view.lines[-1] == "said here"
    path.write_text("again\n", encoding="utf-8")
    view.look()
    assert view.lines[-1] == "again"
    view.close()


def test_of_a_long_log_only_whole_lines_of_the_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    path.write_text("".join(f"line {i:06d}\n" for i in range(100_000)), encoding="utf-8")
    view = LogView(path, period_s=600)
    assert len(view.lines) == 400
    assert (view.lines[0], view.lines[-1]) == ("line 099600", "line 099999")
    path.unlink()
    view.look()
    path.write_text("again\n", encoding="utf-8")
    view.look()
    assert view.lines[-1] == "again"
    view.close()
