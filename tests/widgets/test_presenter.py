"""A page that presents: its frames and its clock, its markers in the engine, and what excludes a choice."""

from __future__ import annotations

import os
import signal
import time
from contextlib import nullcontext, suppress

import pytest

from workbench import live, systems
from workbench.devices import simulated_participant
from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message, carried, translate
from workbench.recording import RunFile
from workbench.runs.replaying import replay_run
from workbench.study import Study
from workbench.systems.selection_ssvep import PRESET
from workbench.vocabulary import Participant, Visit
from workbench.widgets import Presenter
from workbench.widgets.dashboard import serve

QUICK = {
    "window_s": 0.5,
    "windows": [1, 1],
    "gaze_s": 0.3,
    "rest_s": 0.5,
    "jitter_s": 0.0,
    "lead_in_s": 0.5,
    "frequencies_hz": [8, 10, 12, 14, 8, 10, 12, 14],
}
HIDE = """hidden => {
  const get = () => (hidden ? "hidden" : "visible");
  Object.defineProperty(document, "visibilityState", { get, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


HIDE_IN_THE_SECOND_CHOICE = f"""() => {{
  const hide = {HIDE};
  let choices = 0;
  window.sent.push = function (message) {{
    const marks = (message.args || {{}}).marks || [];
    const begun = marks.filter((mark) => /^[1-8]$/.test(mark.label)).length;
    choices += begun;
    // In the page itself: on a busy machine the choice would be over before the test has heard of it.
    if (begun && choices === 2) setTimeout(() => {{ hide(true); hide(false); }});
    return Array.prototype.push.call(this, message);
  }};
}}"""


class Silent:
    """A client without an engine behind it."""

    def __init__(self):
        self.shown, self.now, self.refuses = [], {"run": None}, ""

    def status(self):
        return self.now

    def task(self):
        return {"run": "r1", "schedule": []}

    def present(self, marker, *, local):
        if marker["label"] == self.refuses:
            raise BadValue("too late")
        self.shown.append((marker["label"], local))

    def local_clock(self):
        return 5.0


@pytest.fixture
def silent():
    client = Silent()
    widget = Presenter(lambda: client)
    yield widget, client
    widget.close()


def test_a_page_whose_clock_or_frames_are_not_good_enough_gets_nothing_to_present(silent):
    widget, _ = silent
    for measured, words in (
        ({"refresh_hz": 60.0, "error_ms": 10.1}, "use an external presenter"),
        ({"refresh_hz": 60.0, "error_ms": float("nan")}, "use an external presenter"),
        ({"refresh_hz": 29.0, "error_ms": 2.0}, "29 frames a second"),
    ):
        answer = widget.answer("begin", measured)
        assert not answer["ok"]
        assert words in answer["text"]
    assert widget.answer("begin", {"refresh_hz": 60.0, "error_ms": 9.9})["value"]["run"] == "r1"


def test_a_marker_whose_clock_is_not_known_well_enough_disturbs_its_choice(silent):
    widget, client = silent
    mark = {"label": "1", "local": 4.0, "error_ms": 2.0}
    assert widget.answer("shown", {"marks": [mark, {**mark, "local": 4.5, "error_ms": 30.0}]})["ok"]
    assert client.shown == [("1", 4.0), ("1", 4.5), ("disturbed: clock known to 30.0 ms", 4.5)]
    assert not widget.answer("shown", {"marks": [{"local": 4.0}]})["ok"]


def status(state, *decided, stopped=""):
    trials = [{"index": k, "condition": "1", "outcome": "recorded", "decided": d} for k, d in enumerate(decided)]
    return {"session": {"stopped": stopped}, "run": {"id": "r1", "state": state, "trials": trials}}


def test_the_page_follows_pause_resumption_and_stop(silent):
    widget, _ = silent
    shown = []
    for now in (
        status("compiling"),
        status("running", "1", ""),
        status("paused", "1", ""),
        status("running", "1", ""),
        status("running", "1", "", stopped="STOP pressed"),
        status("stopped", "1", ""),
    ):
        widget._show(now)
        shown.append((widget.run, widget.paused, list(widget.chosen)))
    dark = ("", False, [])
    running = ("r1", False, ["1", ""])
    assert shown == [dark, running, ("r1", True, ["1", ""]), running, dark, dark]


FLICKER = {
    "run": "r1",
    "params": {**QUICK, "items": ["A", "B"], "frequencies_hz": [8, 9], "phases": [0, 0], "contrast": 1.0},
    "schedule": [
        [0.0, "A", 600.0, 0],
        [600.0, "rest", 600.0, 0],
        [1200.0, "look:B", 600.0, 1],
        [1800.0, "B", 1.0, 1],
    ],
}
WRITTEN = """() => {
  const before = CanvasRenderingContext2D.prototype.fillText;
  window.written = new Set();
  CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    window.written.add(text);
    before.call(this, text, ...at);
  };
  window.outlined = new Set();
  const stroke = CanvasRenderingContext2D.prototype.strokeRect;
  CanvasRenderingContext2D.prototype.strokeRect = function (...at) {
    window.outlined.add(this.strokeStyle);
    stroke.call(this, ...at);
  };
}"""
SQUARE = """() => {
  const canvas = document.querySelector("canvas");
  return canvas.getContext("2d").getImageData(canvas.width - 20, 20, 1, 1).data[0];
}"""
ANSWERS = """task => {
  const answer = { clock: () => performance.now() / 1000, begin: () => task };
  window.labels = [];
  setInterval(() => {
    for (const { name, id, args } of window.sent.splice(0)) {
      if (name === "shown") window.labels.push(...args.marks.map((mark) => mark.label));
      else if (name === "begin" && window.refusal) window.say({ id, name, kind: "answer", text: window.refusal });
      else window.say({ kind: "answer", id, name, ok: true, text: "", value: answer[name]() });
    }
  }, 5);
}"""


DARK = {"run": "", "paused": False, "chosen": [], "wave": "sine"}
"""A page before a run."""


def opened(mount, widget, **size):
    """A page that waits for a run and notes what it writes and sends; it gets :data:`FLICKER` to present."""
    page = mount(widget, DARK, own=True, **size)
    page.evaluate(WRITTEN)
    page.evaluate(ANSWERS, FLICKER)
    return page


def test_a_paused_page_is_dark_with_a_sentence_and_continues_with_the_next_choice(mount, silent):
    page = opened(mount, silent[0])
    page.evaluate("() => window.put({run: 'r1'})")
    page.wait_for_function("() => window.labels.includes('A')")
    page.evaluate("() => window.put({paused: true})")
    page.wait_for_function("() => window.labels.includes('rest')")
    disturbed = [label for label in page.evaluate("() => window.labels") if "dropped" not in label]
    assert disturbed == ["A", "disturbed: paused", "rest"]
    page.evaluate("() => window.written.clear()")
    page.wait_for_function("() => window.written.has('Paused. Please wait.')")
    assert not page.evaluate("() => window.written.has('A')")
    page.evaluate("() => window.put({paused: false, chosen: ['']})")
    page.wait_for_function("() => window.labels.includes('look:B')")
    page.evaluate("() => window.put({run: '', chosen: []})")
    page.wait_for_function("() => window.written.has('This run is over.')")
    assert page.errors == []


@pytest.mark.job
def test_a_page_that_is_refused_says_why_fits_its_window_and_asks_again(mount, silent):
    page = opened(mount, silent[0], width=1440, height=700)
    page.evaluate("() => { window.refusal = 'this page is too slow'; window.put({run: 'r1'}); }")
    page.wait_for_function("() => window.written.has('This page is too slow')")
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    page.evaluate("() => { window.refusal = ''; }")
    page.wait_for_function("() => window.labels.includes('A')")
    assert page.text_content("[data-name=presenter-says]") == ""
    assert page.errors == []


@pytest.mark.job
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_refusal_is_written_in_lines_that_fit(mount, silent, language):
    refusal = Message("presenter.clock", got="24.1", most="10")
    page = opened(mount, silent[0])
    page.evaluate(
        "text => { window.refusal = text; window.put({run: 'r1'}); }", translate(refusal, language=language)
    )
    page.wait_for_function("() => [...window.written].some((line) => line.includes('24.1'))")
    lines = page.evaluate("() => [...window.written].filter((line) => line !== 'Please wait.')")
    said = page.text_content("[data-name=presenter-says]")
    assert "".join(lines) == said
    measure = """line => {
      const pen = document.querySelector("canvas").getContext("2d");
      pen.font = "40px sans-serif";
      return pen.measureText(line.trimEnd()).width;
    }"""
    assert max(page.evaluate(measure, line) for line in lines) <= 0.9 * 1200
    assert not any(line.startswith(("，", "；", "。", "）")) for line in lines)


def test_what_was_chosen_is_framed_and_written(mount, silent):
    page = opened(mount, silent[0])
    page.evaluate("() => window.put({run: 'r1'})")
    page.wait_for_function("() => window.labels.includes('A')")
    # The square for a photodiode changes with each marker: white after the first one, black after the next.
    page.check("[data-name=photodiode]")
    page.wait_for_function(f"() => ({SQUARE})() === 255")
    page.evaluate("() => window.outlined.clear()")
    page.evaluate("() => window.put({chosen: ['B']})")
    page.wait_for_function("() => window.labels.includes('rest') && window.outlined.has('#33cc33')")
    page.wait_for_function(f"() => ({SQUARE})() === 0")
    assert page.evaluate("() => window.written.has('B')")
    assert page.errors == []


def test_the_language_of_the_page_changes_while_a_run_goes_on(mount, silent):
    page = opened(mount, silent[0])
    page.wait_for_function("() => window.written.has('Please wait.')")
    page.evaluate("() => window.put({run: 'r1'})")
    page.wait_for_function("() => window.labels.includes('A')")
    page.click("button[lang=zh-CN]")
    assert "光电二极管" in page.text_content("label")
    page.evaluate("() => window.put({paused: true})")
    page.wait_for_function("() => window.written.has('已暂停，请稍候。')")
    # The choice that was open is excluded once; none begins again.
    assert page.evaluate("() => window.labels.filter((label) => label === 'A').length") == 1
    assert page.errors == []


def test_names_of_many_letters_stay_inside_their_boxes_and_their_line(mount, silent):
    names = ["Please call the nurse", "I would like some water"]
    params = {**FLICKER["params"], "items": names}
    schedule = [[at, label.replace("A", names[0]), *more] for at, label, *more in FLICKER["schedule"][:2]]
    page = mount(silent[0], DARK, own=True)
    page.evaluate("""() => {
      window.spans = {};
      const pen = CanvasRenderingContext2D.prototype;
      const before = pen.fillText;
      pen.fillText = function (text, x, y, most = Infinity) {
        const width = Math.min(most, this.measureText(text).width);
        const left = this.textAlign === "center" ? x - width / 2 : x;
        window.spans[text] = [left, left + width];
        before.call(this, text, x, y, most);
      };
    }""")
    page.evaluate(ANSWERS, {**FLICKER, "params": params, "schedule": schedule})
    page.evaluate("() => window.put({run: 'r1'})")
    page.wait_for_function("name => window.labels.includes(name)", arg=names[0])
    page.evaluate("chosen => window.put({chosen})", [*names, "", *names])
    page.wait_for_function(
        "last => Object.keys(window.spans).some((text) => text.endsWith(last))", arg=" ".join(names)
    )
    spans = page.evaluate("() => window.spans")
    # Two columns of 600 px, a box fills the middle 0.6 of each; the square for a photodiode is 64 px.
    for i, name in enumerate(names):
        assert spans[name][0] >= 120 + 600 * i
        assert spans[name][1] <= 480 + 600 * i
    assert all(
        right <= 1200 - 64 for text, (_, right) in spans.items() if text.count(names[1]) and text != names[1]
    )
    assert page.errors == []


@pytest.fixture
def session(tmp_path):
    """An engine whose run waits for a page, and a simulated participant who looks at it."""
    spec = simulated_participant.spec(PRESET)
    source = systems.Source(
        "simulated participant", simulated=True, player={"device": "simulated_participant", "options": PRESET}
    )
    bound = systems.bind(systems.load("selection_ssvep"), (spec,), source=source, params=QUICK)
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        plan = bound.new_session(study, visit=visit, operator="tests")
    assert plan.cue_source == "page"
    client = live.start(plan)
    yield client, bound
    with suppress(WorkbenchError):
        client.shutdown()
    client.close()
    with suppress(ProcessLookupError):
        os.kill(client.pid, signal.SIGKILL)


def test_a_choice_whose_marker_came_too_late_is_excluded_keeps_its_number_and_its_run_ends_by_itself(session):
    client, bound = session
    run_id = client.start_run("calibration", bound.paradigm, bound.paradigm_params, n_trials=3, seed=1)
    client.wait("running", timeout=60.0)
    for label, late_s, over in (("1", 0.0, 0), ("rest", 0.0, 1), ("2", 3.0, 1), ("rest", 3.0, 2), ("3", 0.0, 2)):
        waiting = time.monotonic() + 60.0
        while len(client.status()["run"]["trials"]) < over and time.monotonic() < waiting:
            time.sleep(0.02)
        refused = (
            pytest.raises(BadValue, match=r"a page marked light -\d+\.\d s from now") if late_s else nullcontext()
        )
        with refused:
            client.present({"label": label, "duration_s": 0.5}, local=client.local_clock() - late_s)
    assert client.wait("run", timeout=60.0)["run"]["state"] == "finished"
    recorded = RunFile(client.study_folder / "recordings" / f"{run_id}.xdf")
    trials = recorded.trials()
    assert [(t.index, t.condition, t.outcome) for t in trials] == [
        (0, "1", "recorded"), (1, "2", "excluded"), (2, "3", "recorded"),
    ]  # fmt: skip
    assert "disturbed: a page's marker 2 lies -" in trials[1].excluded
    rows = [row.extent for row in recorded.ledger() if row.kind == "impossible_marker"]
    assert [row.split(" lies ")[0] for row in rows] == ["a page's marker 2", "a page's marker rest"]
    notes = [marker for marker in recorded.markers() if marker.kind == "note"]
    assert [(note.label, note.detail["impossible"]) for note in notes] == [("2", True), ("rest", True)]
    assert replay_run(recorded.path).equal


def test_markers_after_one_that_is_refused_still_reach_the_engine(silent):
    widget, client = silent
    client.refuses = "2"
    answer = widget.answer("shown", {"marks": [{"label": k, "local": 4.0, "error_ms": 2.0} for k in "123"]})
    assert not answer["ok"]
    assert answer["text"] == "too late"
    assert [label for label, _ in client.shown] == ["1", "3"]


@pytest.mark.release
def test_a_page_presents_its_markers_reach_the_engine_and_a_hidden_page_excludes_its_choice(mount, session):
    client, bound = session
    widget = Presenter(lambda: client)
    page = mount(widget, DARK, own=True)
    page.evaluate(HIDE_IN_THE_SECOND_CHOICE)
    run_id = client.start_run("calibration", bound.paradigm, bound.paradigm_params, n_trials=3, seed=1)
    try:
        given = {}
        while (run := client.status().get("run")) is None or run["state"] in ("compiling", "running"):
            for message in page.evaluate("() => window.sent.splice(0)"):
                reply = carried(widget.answer(message["name"], message["args"]))
                page.evaluate("reply => window.say(reply)", {**reply, "id": message["id"]})
            now = {"run": widget.run, "paused": widget.paused, "chosen": list(widget.chosen)}
            if now != given:
                page.evaluate("values => window.put(values)", now)
                given = now
    finally:
        widget.close()
    assert run["state"] == "finished"
    recorded = RunFile(client.study_folder / "recordings" / f"{run_id}.xdf")
    trials = recorded.trials()
    assert len(trials) == 3
    # A busy machine may drop a frame; nothing else excludes the others, and where it comes first it is the reason.
    assert trials[1].outcome == "excluded"
    assert any(why in trials[1].excluded for why in ("page hidden", "dropped"))
    assert all(t.outcome == "recorded" or "dropped" in t.excluded for t in trials if t.index != 1)
    ledger = [row for row in recorded.ledger() if row.kind == "disturbed"]
    assert "page hidden" in [row.extent for row in ledger]
    cues = [m for m in recorded.markers() if m.kind == "cue" and m.label in set("12345678")]
    assert [cue.detail["trial"] for cue in cues] == [0, 1, 2]
    for cue in cues:
        assert cue.detail["refresh_hz"] > 50
        assert 0 < cue.detail["error_ms"] <= 10
        assert cue.detail["frames"] == round(0.5 * cue.detail["refresh_hz"])
    assert replay_run(recorded.path).equal
    assert page.errors == []


@pytest.mark.release
@pytest.mark.timeout(900)
def test_the_page_of_the_dashboard_presents_a_whole_run_with_its_clock_known(chromium, session):
    """The messages of its clock go through a server and a kernel here, as they do in a clinic."""
    client, bound = session
    dashboard = serve(client.study_folder, open_browser=False, dashboard="presenter")
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.goto(dashboard.url)
        page.wait_for_selector("canvas", timeout=180_000)
        run_id = client.start_run("calibration", bound.paradigm, bound.paradigm_params, n_trials=4, seed=1)
        client.wait("running", timeout=120.0)
        assert client.wait("run", timeout=240.0)["run"]["state"] == "finished"
    finally:
        context.close()
        dashboard.stop()
    recorded = RunFile(client.study_folder / "recordings" / f"{run_id}.xdf")
    assert all(t.outcome == "recorded" or "dropped" in t.excluded for t in recorded.trials())
    cues = [m for m in recorded.markers() if m.kind == "cue" and m.label in set("12345678")]
    assert [cue.detail["trial"] for cue in cues] == [0, 1, 2, 3]
    assert all(0 < cue.detail["error_ms"] <= 10 for cue in cues)
    assert replay_run(recorded.path).equal
