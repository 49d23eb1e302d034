"""The example of an external presenter, as a process of its own that shares no code with the engine."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest

from workbench import analysis, decoders, live, paradigms, systems
from workbench.decode import decode
from workbench.devices import lsl
from workbench.devices._evoked import Observer
from workbench.paradigms.selection import Selection
from workbench.paradigms.speller import Speller
from workbench.recording import RunFile
from workbench.runs.replaying import replay_run
from workbench.signals.units import montage_of
from workbench.stress._full_speed import fitted
from workbench.stress.evoked import _Run
from workbench.study import Study
from workbench.vocabulary import Participant, Visit

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "presenter_psychopy.py"
QUICK = {
    "selection_ssvep": {"windows": [1, 2], "gaze_s": 0.3, "rest_s": 0.5, "jitter_s": 0.0, "lead_in_s": 0.5},
    "speller_p300": {"repetitions": [2, 2], "gaze_s": 0.5, "rest_s": 0.8, "lead_in_s": 0.5},
}


def fit(bound, folder):
    """Folder in a study of the system's decoder, fitted without a clock on the participant of the session."""
    player = bound.source.player["options"]
    paradigm = paradigms.from_params(bound.paradigm, bound.paradigm_params)
    person = Observer(player["seed"], preset=player["preset"], shows=player["shows"])
    run = _Run(person, paradigm, bound.trials[0], seed=1)
    list(decode(run.source(), paradigm, fs=run.fs))
    made = folder / "decoders" / "new"
    sha256 = decoders.save(fitted(bound, paradigm, run.items, fs=run.fs), made, montage=montage_of(bound.signal))
    return made.rename(made.with_name(sha256[:12]))


@pytest.fixture(scope="module")
def example():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("presenter_psychopy", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("layout", ["row_column", "single"])
def test_each_flash_lights_the_items_that_the_rule_gives_it(example, layout):
    speller = Speller(layout=layout, items=tuple("ABCDEFGH"), columns=3)
    for stimulus, group in zip(speller.stimuli, speller.groups, strict=True):
        for frame, lit in ((0, set(group)), (6, set())):
            levels = example.brightness(speller.params(), stimulus, frame, 60.0)
            assert {i for i, level in enumerate(levels) if level > -0.6} == lit


def test_each_item_flickers_at_its_frequency_and_rests_between_choices(example):
    params = Selection(frequencies_hz=tuple(range(8, 16))).params()
    for label, moves in (("free", True), ("3", True), ("look:3", False), ("rest", False)):
        frames = np.array([example.brightness(params, label, frame, 60.0) for frame in range(60)])
        peaks = np.abs(np.fft.rfft(frames - frames.mean(axis=0), axis=0)).argmax(axis=0)
        assert peaks.tolist() == (list(range(8, 16)) if moves else [0] * 8)


@pytest.fixture
def psychopy(monkeypatch):
    """Stands for PsychoPy: a window whose flips wait for nothing, and whose rate cannot be measured."""
    made = MagicMock()
    made.visual.Window.return_value.size = (1280, 800)
    made.visual.Window.return_value.getActualFrameRate.return_value = None
    called = made.visual.Window.return_value.callOnFlip
    made.visual.Window.return_value.flip.side_effect = lambda: called.call_args.args[0]()
    monkeypatch.setitem(sys.modules, "psychopy", made)
    return made


def test_a_screen_whose_rate_cannot_be_measured_presents_nothing(example, psychopy):
    with pytest.raises(SystemExit, match="--refresh-hz"):
        example.Window(delay_s=0.0, photodiode=False)


def test_frames_of_a_stated_rate_are_timed_by_the_clock(example, psychopy):
    window = example.Window(delay_s=0.0, photodiode=False, refresh_hz=100.0)
    began = example.local_clock()
    shown = [window.flip() for _ in range(11)]
    # No less: a busy computer may only make it longer.
    assert shown[-1] - began >= 0.0999
    assert window.refresh_hz == 100.0


@pytest.mark.parametrize("height", [600, 768, 1080])
def test_the_line_of_what_was_chosen_lies_above_all_items(example, psychopy, height):
    psychopy.visual.Window.return_value.size = (1024, height)
    window = example.Window(delay_s=0.0, photodiode=False, refresh_hz=60.0)
    line = psychopy.visual.TextStim.call_args.kwargs
    for paradigm in (Speller(), Selection()):
        psychopy.visual.Rect.reset_mock()
        window.make(paradigm.params())
        boxes = [call.kwargs for call in psychopy.visual.Rect.call_args_list]
        assert max(box["pos"][1] + box["height"] / 2 for box in boxes) < line["pos"][1] - line["height"] / 2
        assert min(box["pos"][1] - box["height"] / 2 for box in boxes) > -height / 2


def test_the_sentences_before_and_after_a_run_stay_on_the_screen(example, monkeypatch):
    run = {"schedule": [[0.0, "rest", 0.02, -1]], "params": {}}
    written = []

    class Screen(example.NoScreen):
        def say(self, sentence):
            written.append(sentence)

        def closed(self):
            return self.frame > 40

        def flip(self):
            self.frame += 1
            return 0.0

    class Engine:
        run, paused, chosen, heard = None, False, {}, 0

        def __init__(self, session):
            pass

        def listen(self):
            self.heard += 1
            self.run = run if 10 <= self.heard < 20 else None

    monkeypatch.setattr(example, "NoScreen", Screen)
    monkeypatch.setattr(example, "Engine", Engine)
    monkeypatch.setattr(example, "StreamOutlet", MagicMock())
    example.main(["session", "--no-window"])
    # One sentence a frame: a screen is drawn again for each.
    assert written.count("Please wait.") == 10
    assert written[-20:] == ["This run is over."] * 20


@pytest.mark.release
@pytest.mark.parametrize(("name", "n", "interrupted"), [("selection_ssvep", 4, True), ("speller_p300", 2, False)])
def test_the_example_presents_a_run_and_its_selections_are_counted_and_replay_equal(
    tmp_path, name, n, interrupted
):
    system = systems.load(name)
    # Of a strong response, so that no choice depends on how busy the computer is.
    played = systems.simulate(system, seed=5)
    bound = systems.bind(system, played.contract, source=played.source, params=QUICK[name], trials=(16, n))
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        plan = bound.new_session(
            study, visit=visit, operator="tests", screening=systems.screen("none", by="tests")
        )
    decoder = fit(bound, tmp_path / "study")
    # The participant stays simulated; the screen is the example.
    plan = replace(plan, players=plan.players[:1])
    markers = next(line for line in plan.contract if line.role == "markers")
    lsl.configure()
    options = ["--source-id", markers.source_id, "--name", markers.name, "--no-window"]
    with (tmp_path / "presenter.log").open("wb") as log:
        presenter = subprocess.Popen(
            [sys.executable, str(SCRIPT), plan.session_id, *options],
            stderr=log,
            env={**os.environ, "PYTHONPATH": ""},
        )
    client = live.start(plan)
    heard = lsl.connect(plan.source_id("cues"))
    acts = ["pause", "resume"] if interrupted else []

    def interrupt(status):
        """Pause in a choice after the first, seen early enough on a busy computer too, and resume."""
        run = status["run"]
        if acts[:1] == ["resume"]:
            client.resume()
            acts.clear()
        elif (
            acts
            and run["trials_done"] >= 1
            and run["cue"]
            and run["cue"]["label"] in bound.paradigm_params["items"]
            and run["cue"]["elapsed_s"] < 0.5 * run["cue"]["duration_s"]
        ):
            client.pause()
            acts.pop(0)

    try:
        params = bound.params_of("online")
        run_id = client.start_run("online", bound.paradigm, params, n_trials=n, seed=2, decoder_folder=decoder)
        run = client.wait("run", timeout=90.0, progress=interrupt)["run"]
        client.start_run("calibration", bound.paradigm, bound.params_of("calibration"), n_trials=1)
        client.wait("running")
        client.stop()
        client.wait("run")
        told = [json.loads(text)["kind"] for text in heard.pull(2.0)[0]]
    finally:
        heard.close()
        client.shutdown()
        presenter.terminate()
        presenter.wait(10.0)
    assert (run["state"], acts) == ("finished", [])
    # A STOP is said before the run is closed, so that nothing flickers while an effector is released.
    assert told == ["run", *(["pause", "resume"] if interrupted else []), "end", "run", "stop", "end"]
    recorded = RunFile(tmp_path / "study" / "recordings" / f"{run_id}.xdf")
    trials = recorded.trials()
    excluded = [trial for trial in trials if trial.outcome == "excluded"]
    # One choice, that in which somebody pressed.
    assert len(excluded) == interrupted
    assert all(trial.index >= 1 and "paused" in trial.excluded for trial in excluded)
    made = analysis.selections(trials, items=len(bound.paradigm_params["items"]), fs=recorded.signal.fs)
    assert made.n == n - len(excluded)
    if name == "selection_ssvep":  # two repetitions of flashes are too few to be right
        assert made.accuracy.correct > made.n / 2
        assert made.bits_per_min > 0
    cues = [marker for marker in recorded.markers() if marker.kind == "cue" and marker.label.startswith("stim:")]
    assert all(cue.detail["frames"] == 9.0 for cue in cues)
    assert replay_run(recorded.path).equal
