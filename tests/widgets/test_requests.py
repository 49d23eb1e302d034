"""What a page may ask for: a closed list, carried out by the client, refused in words, never with a traceback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench.errors import BadValue, EngineFault, RecordFault, Refused
from workbench.widgets import LiveSession, LogView
from workbench.widgets.live_session import UNSEEN_S


class Recorded:
    """A client that tells recorded statuses and notes what it is asked."""

    def __init__(self, status: dict[str, Any]) -> None:
        self.told = status
        self.asked: list[tuple[str, Any]] = []
        self.gone = False
        self.heard = threading.Event()

    def status(self) -> dict[str, Any]:
        if self.gone:
            raise EngineFault("the engine of session s-1 has ended")
        return self.told

    def signals(self, since: int = 0, max_seconds: float = 10.0) -> Any:
        data = np.zeros((5, 2), np.float32)
        return SimpleNamespace(first=since, fs=100.0, names=("A", "B"), data=data, newest_stamp=1.0, age_s=0.01)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def ask(*args: Any, **kwargs: Any) -> None:
            self.asked.append((name, args or kwargs))
            self.heard.set()
            if name == "arm":
                raise Refused("arming is not possible: no decoder is loaded whose hash is the approved one")

        return ask


@pytest.fixture
def client(statuses: dict[str, Any]) -> Recorded:
    return Recorded(statuses["live"])


@pytest.fixture
def screen(client: Recorded) -> Iterator[LiveSession]:
    made = LiveSession(
        client,
        run_settings=lambda kind: {"paradigm": "grasp_rest", "seed": 3},
        run_form=lambda: {"paradigm": "grasp_rest", "n_trials": 15},
    )
    yield made
    made.close()


def wait_until(widget: Any, trait: str, holds: Any) -> None:
    """Wait for a trait that a thread sets."""
    reached = threading.Event()
    widget.observe(lambda _: reached.set() if holds() else None, trait)
    if not holds():
        assert reached.wait(20), f"{trait} never got there"


def test_the_status_and_new_samples_reach_the_page(client: Recorded, screen: LiveSession) -> None:
    sent: list[tuple[Any, Any]] = []
    reached = threading.Event()

    def note(content: Any, buffers: Any = None) -> None:
        sent.append((content, buffers))
        if len(sent) > 2:
            reached.set()

    screen.send = note  # type: ignore[method-assign]
    assert reached.wait(20)
    wait_until(screen, "beat", lambda: screen.beat > 0)
    assert screen.status["run"]["trials_done"] == 18
    message, buffers = sent[-1]
    assert (message["kind"], message["names"], message["n"]) == ("signals", ["A", "B"], 5)
    assert len(buffers[0]) == 5 * 2 * 4
    assert message["first"] == sent[-2][0]["first"] + 5


def test_signals_are_followed_closely_while_somebody_sees_them(screen: LiveSession) -> None:
    assert not screen._shows_signals(time.monotonic())
    for page in ("first", "second"):
        assert screen.answer("hello", {"page": page, "visible": True})["ok"]
    assert screen.answer("here", {"page": "first", "visible": False})["ok"]
    assert screen._shows_signals(time.monotonic())  # the second page is still open
    assert not screen._shows_signals(time.monotonic() + UNSEEN_S + 1)
    screen.place = {"view": "log"}
    assert not screen._shows_signals(time.monotonic())
    screen.place = {"view": "run"}
    assert screen.answer("here", {"page": "second", "visible": False})["ok"]
    assert not screen._shows_signals(time.monotonic())


@pytest.mark.parametrize("name", ["pause", "resume", "end_run", "stop", "reset_stop", "disarm", "reconnect"])
def test_a_plain_request_is_passed_on(client: Recorded, screen: LiveSession, name: str) -> None:
    assert screen.answer(name, {})["ok"]
    assert client.asked[-1][0] == name


def test_a_request_outside_the_list_is_refused_with_the_list(client: Recorded, screen: LiveSession) -> None:
    reply = screen.answer("shutdown", {})
    assert not reply["ok"]
    assert "allowed: acknowledge, apply_setting, arm, disarm, end_run" in reply["text"]
    assert client.asked == []


def test_a_refusal_of_the_engine_arrives_in_its_own_words(screen: LiveSession) -> None:
    reply = screen.answer("arm", {})
    assert (reply["ok"], reply["text"][:26]) == (False, "arming is not possible: no")


@pytest.mark.parametrize("n_trials", [0, 201, "20", 1.5, None])
def test_a_run_of_an_impossible_length_is_not_passed_on(
    client: Recorded, screen: LiveSession, n_trials: Any
) -> None:
    reply = screen.answer("start_run", {"kind": "online", "n_trials": n_trials})
    assert not reply["ok"]
    assert "1 to 200" in reply["text"]
    assert client.asked == []


def test_a_run_starts_with_the_settings_of_the_notebook_not_of_the_page(
    client: Recorded, screen: LiveSession
) -> None:
    assert screen.answer("start_run", {"kind": "online", "n_trials": 12})["ok"]
    assert client.asked[-1] == (
        "start_run",
        {"kind": "online", "n_trials": 12, "paradigm": "grasp_rest", "seed": 3},
    )
    assert not screen.answer("start_run", {"kind": "online", "n_trials": 12, "decoder_folder": "elsewhere"})["ok"]


def test_a_waiver_carries_its_reason(client: Recorded, screen: LiveSession) -> None:
    assert screen.answer("waive", {"stream": "pressure", "reason": "sensor in repair"})["ok"]
    assert client.asked[-1] == ("waive", ("pressure", "sensor in repair"))


def test_stop_does_not_wait_behind_another_request(client: Recorded, screen: LiveSession) -> None:
    hold = threading.Event()
    screen._run_settings = lambda kind: hold.wait(30) and {}
    screen._received(screen, {"name": "start_run", "args": {"kind": "online", "n_trials": 5}, "id": "1"}, [])
    screen._received(screen, {"name": "stop", "args": {}, "id": "2"}, [])
    assert client.heard.wait(20)
    assert client.asked == [("stop", {})]
    hold.set()


class Views:
    """A page that takes as long to show its first view as somebody needs to choose another one."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.chosen, self.both = threading.Event(), threading.Event()

    def show(self, view: str) -> None:
        if not self.shown and view == "run":
            self.chosen.wait(20)
        self.shown.append(view)
        if view == "assess":
            self.both.set()


def test_the_view_that_was_asked_for_last_stays_whichever_request_is_served_last(screen: LiveSession) -> None:
    screen.place = {"views": ["run", "assess"]}
    for _ in range(10):
        screen._page = views = Views()
        for number, view in enumerate(("run", "assess")):
            screen._received(screen, {"name": "show", "args": {"view": view}, "id": str(number)}, [])
        views.chosen.set()
        assert views.both.wait(20)
        assert screen.answer("show", {"view": "run"})["ok"]  # as a thread that is served late
        assert views.shown[-1] == "assess"


def test_a_lost_engine_is_told_with_its_sentence_and_found_again(client: Recorded, screen: LiveSession) -> None:
    wait_until(screen, "link", lambda: screen.link.get("state") == "live")
    client.gone = True
    wait_until(screen, "link", lambda: screen.link.get("state") == "lost")
    assert "s-1 has ended" in screen.link["sentence"]
    client.gone = False
    wait_until(screen, "link", lambda: screen.link.get("state") == "live")


def test_a_page_without_a_session_says_so(statuses: dict[str, Any]) -> None:
    made = LiveSession()
    reply = made.answer("pause", {})
    assert "no session is running" in reply["text"]
    assert "cannot start a session" in made.answer("start_session", {})["text"]
    made.close()


def test_a_page_can_start_the_session_and_then_follows_it(client: Recorded) -> None:
    made = LiveSession(start_session=lambda progress: client)
    assert made.form["can_start"]
    assert made.answer("start_session", {})["ok"]
    wait_until(made, "link", lambda: made.link.get("state") == "live")
    made.close()


def test_a_session_that_cannot_start_leaves_its_sentence_on_the_page() -> None:
    def fail(progress: Any) -> Any:
        raise EngineFault("no stream ECoG was found; start the amplifier")

    made = LiveSession(start_session=fail)
    assert not made.answer("start_session", {})["ok"]
    assert made.link == {"state": "none", "sentence": "no stream ECoG was found; start the amplifier"}
    made.close()


def test_a_screen_attaches_to_an_engine_that_comes_later(client: Recorded) -> None:
    there: list[Recorded] = []
    made = LiveSession(connect=lambda: there[0] if there else None)
    assert made.link["state"] != "live"
    there.append(client)
    wait_until(made, "link", lambda: made.link.get("state") == "live")
    assert made.answer("pause", {})["ok"]
    made.close()


def test_a_session_is_not_ended_while_a_run_goes_on(client: Recorded, screen: LiveSession) -> None:
    reply = screen.answer("end_session", {})
    assert "end the run first" in reply["text"]
    assert client.asked == []


def test_a_session_that_is_ended_is_said_to_be_over_and_not_to_be_lost(statuses: dict[str, Any]) -> None:
    client = Recorded(statuses["idle"])
    kept: list[str] = []
    links: list[str] = []
    made = LiveSession(client, after_session=lambda: kept.append("ingested"))
    wait_until(made, "link", lambda: made.link.get("state") == "live")
    made.observe(lambda change: links.append(change["new"]["state"]), "link")
    assert made.answer("end_session", {})["ok"]
    assert client.asked == [("shutdown", {})]
    assert links == ["ending", "none"]
    assert (made.link["key"], made.link["args"]) == ("run.session_ended_more", {"session": "Session 7"})
    assert (made.status, kept) == ({}, ["ingested"])
    assert "no session is running" in made.answer("pause", {})["text"]
    made.close()


def test_an_engine_that_does_not_end_stays_on_the_screen_with_its_reason(statuses: dict[str, Any]) -> None:
    client = Recorded(statuses["idle"])

    def stuck() -> None:
        raise EngineFault("the engine has not ended within 20 s")

    client.shutdown = stuck  # type: ignore[attr-defined]
    made = LiveSession(client)
    wait_until(made, "link", lambda: made.link.get("state") == "live")
    reply = made.answer("end_session", {})
    assert (reply["ok"], reply["text"]) == (False, "the engine has not ended within 20 s")
    assert made.link["state"] == "live"
    assert made.answer("pause", {})["ok"]
    made.close()


def test_a_page_says_how_many_kernels_a_first_start_has_yet_to_compile(client: Recorded) -> None:
    seen: list[dict[str, Any]] = []

    def start(progress: Any) -> Any:
        for left in (2, 0):
            progress({"engine": {"state": "compiling", "kernels_left": left}})
            seen.append(made.link)
        return client

    made = LiveSession(start_session=start)
    assert made.answer("start_session", {})["ok"]
    two, none = seen
    assert (two["state"], two["key"], two["args"]) == ("starting", "run.first_start", {"n": 2})
    assert none == {"state": "starting", "sentence": ""}
    made.close()


def test_a_session_is_started_once_however_often_the_page_asks(client: Recorded) -> None:
    asked: list[str] = []
    go = threading.Event()
    inside = threading.Event()

    def start(progress: Any) -> Any:
        asked.append("start")
        inside.set()
        go.wait(20)
        return client

    made = LiveSession(start_session=start)
    first = threading.Thread(target=made.answer, args=("start_session", {}))
    first.start()
    assert inside.wait(20)
    assert made.answer("start_session", {})["ok"]
    go.set()
    first.join(20)
    assert asked == ["start"]
    made.close()


def test_a_record_that_cannot_be_read_is_a_reason_and_not_a_lost_engine(client: Recorded) -> None:
    unreadable = threading.Event()

    def kinds() -> list[dict[str, Any]]:
        if unreadable.is_set():
            raise RecordFault("the record is locked")
        return [{"kind": "calibration", "ok": True, "why": ""}]

    made = LiveSession(client, run_kinds=kinds)
    wait_until(made, "form", lambda: made.form["kinds"] and made.form["kinds"][0]["ok"])
    unreadable.set()
    wait_until(made, "form", lambda: made.form["kinds"][0]["why"] == "the record is locked")
    assert not made.form["kinds"][0]["ok"]
    assert made.link["state"] == "live"
    made.close()


def test_what_fails_after_a_run_is_said_on_the_page(client: Recorded, statuses: dict[str, Any]) -> None:
    def fail(status: dict[str, Any]) -> None:
        raise OSError("no space left on the disk")

    said = threading.Event()
    made = LiveSession(client, after_run=fail)
    made.send = lambda content, buffers=None: (
        said.set() if content.get("text", "").startswith("no space") else None
    )
    wait_until(made, "link", lambda: made.link.get("state") == "live")
    client.told = statuses["idle"]
    assert said.wait(20)
    made.close()


def test_a_panel_that_follows_another_speaks_its_language(tmp_path: Path) -> None:
    made = LiveSession()
    log = LogView(tmp_path / "engine.log", period_s=600)
    log.follow(made)
    made.language, made.theme = "zh-CN", "dark"
    assert (log.language, log.theme) == ("zh-CN", "dark")
    log.close()
    made.close()


def test_an_unknown_panel_is_refused() -> None:
    with pytest.raises(BadValue, match="panels must be among"):
        LiveSession(panels=("scope", "radar"))
