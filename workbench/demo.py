"""`workbench demo`: the main job on real LSL, end to end, in three minutes.

New study folder → calibration run → fitted, hashed, approved decoder → online run with an effector →
trials → ARAT, unassisted and assisted → report → replay. Everything simulated says so.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workbench import analysis, live, outcomes, paradigms, programmes
from workbench.errors import BadValue, EngineFault, Refused
from workbench.programmes import Programme
from workbench.reports import session_report
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition, FittedDecoder, Participant, Trial, Visit

OPERATOR = "demo operator"
START_S, FIT_S, CLOSE_S = 25.0, 8.0, 12.0
"""Expected real seconds of the parts that are not runs; they only scale the progress bar."""
RUNS_S = 70.0
"""Real seconds that the runs may take together when no speed is asked for."""


@dataclass(frozen=True)
class Options:
    """What the command line said; see ``workbench demo --help``."""

    study: Path | None = None
    append: bool = False
    seed: int = 1
    speed: float | None = None
    browser: bool = True
    recordings: tuple[Path, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"


class Bar:
    """One progress bar over expected real seconds: the present stage in words, and the time left.

    Where nobody watches (no terminal) it is one line a stage.
    """

    def __init__(self, total_s: float) -> None:
        self._bar = tqdm(
            total=round(total_s, 1),
            bar_format="{desc:<36} {percentage:3.0f} % |{bar:30}| {elapsed} gone{postfix}",
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        )
        self._total, self._base, self._done = total_s, 0.0, 0.0

    @contextmanager
    def stage(self, words: str, seconds: float) -> Iterator[Bar]:
        """A stage that is expected to take ``seconds``."""
        if self._bar.disable:
            print(f"[{100 * self._base / self._total:3.0f} %] {words}", file=sys.stderr, flush=True)
        self.inside(0.0, words)
        yield self
        self.inside(seconds)
        self._base += seconds

    def inside(self, seconds: float, words: str = "") -> None:
        """How far the present stage has come, s."""
        done = max(self._done, min(self._base + seconds, self._total))
        if words:
            self._bar.set_description_str(words, refresh=False)
        self._bar.set_postfix_str(f"about {self._total - done:.0f} s left", refresh=False)
        self._bar.update(done - self._done)
        self._bar.refresh()
        self._done = done

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        self._bar.close()


def run(options: Options) -> int:
    """Run the demo; returns the exit code (1 when a replayed decision differs from the record)."""
    programme = programmes.of(options.recordings, options.conditions, seed=options.seed)
    speed = options.speed if options.speed is not None else _speed(programme)
    study = _study(options)
    _say(f"Study      {study.folder}")
    _say(f"Source     {programme.words}")
    note = "" if speed == 1 else "; latency is not representative"
    _say(f"Speed      {speed:g} × (stream time over real time{note})")
    bar = Bar(START_S + programme.seconds / speed + FIT_S + CLOSE_S)
    try:
        outcome = _session(study, programme, options, speed=speed, bar=bar)
    finally:
        bar.close()
        study.close()
    for line in outcome.lines:
        _say(line)
    if options.browser:
        _offer(study.folder)
    return 0 if outcome.equal else 1


@dataclass(frozen=True)
class _Outcome:
    lines: list[str]
    equal: bool


def _session(study: Study, programme: Programme, options: Options, *, speed: float, bar: Bar) -> _Outcome:
    """The whole session: runs, fit, assessments, report, replay."""
    number = len(study.rows("participant")) + 1
    participant = study.append(Participant(f"DEMO-{number:02d}", simulated=programme.simulated))
    visit = study.append(Visit(participant, "demo"))
    plan = programme.new_session(study, visit=visit, operator=OPERATOR, speed=speed, seed=options.seed)
    with bar.stage("Starting engine and players", START_S):
        client = live.start(plan, progress=lambda s: bar.inside(0.0, _start_words(s)))
    try:
        calibration = [
            _run(client, programme, "calibration", number, bar=bar, speed=speed, seed=options.seed)
            for number in range(len(programme.trials) - 1)
        ]
        with bar.stage("Fitting the decoder", FIT_S):
            client.ingest(study)
            fitted = live.run_fit(
                study.folder, _files(study, calibration), programme.decoder, programme.decoder_params
            )
            _approve(study, fitted, participant=participant, effector=programme.effector or "screen")
        last, seed = len(calibration), options.seed + 1
        online = _run(client, programme, "online", last, bar=bar, speed=speed, seed=seed, fitted=fitted)
    finally:
        client.shutdown()
    with bar.stage("Record, ARAT, report, replay", CLOSE_S):
        said = live.ingest_pending(study)
        _assess(study, visit, seed=options.seed)
        replayed = live.replay_study(study.folder)
        files = session_report(study, language=options.language)
    lines = [*said, *_results(study, programme, online), f"Decoder    {fitted['sha256']}"]
    lines += [r.sentence for r in replayed]
    lines += [f"Report     {files.html}", f"           {files.pdf}", f"Recordings {study.folder / 'recordings'}"]
    return _Outcome(lines, all(r.equal for r in replayed))


def _run(
    client: live.Client,
    programme: Programme,
    kind: str,
    number: int,
    *,
    bar: Bar,
    speed: float,
    seed: int,
    fitted: Mapping[str, Any] | None = None,
) -> str:
    """One run to its end; returns its id."""
    seconds = programme.durations[number] / speed
    words = f"{kind.capitalize()} run"
    with bar.stage(words, seconds):
        run_id: str = client.start_run(
            kind,
            programme.paradigm,
            programme.paradigm_params,
            n_trials=programme.trials[number],
            seed=seed,
            decoder_folder=fitted["folder"] if fitted else None,
        )
        if fitted and programme.effector:
            client.wait("running", timeout=60.0)
            client.wait("ready", timeout=60.0)
            client.arm(OPERATOR)

        def follow(status: dict[str, Any]) -> None:
            run = status["run"] or {}
            done, total = run.get("trials_done", 0), run.get("trials_total", 0)
            bar.inside(seconds * done / max(total, 1), f"{words}: trial {done} of {total}")

        ended = client.wait("run", timeout=60.0 + 3.0 * seconds, progress=follow)
    if ended["run"]["state"] != "finished":
        raise EngineFault(f"the {kind} run {ended['run']['state']}: {ended['run'].get('sentence', '')}")
    return run_id


def _approve(study: Study, fitted: Mapping[str, Any], *, participant: str, effector: str) -> None:
    """Enter the decoder and approve exactly its hash."""
    folder = Path(str(fitted["folder"]))
    if not study.rows("decoder", sha256=fitted["sha256"]):
        study.append(
            FittedDecoder(
                sha256=str(fitted["sha256"]),
                name=str(fitted["name"]),
                path=folder.relative_to(study.folder).as_posix(),
                recordings=tuple(fitted["recordings"]),
                metrics=fitted["metrics"],
            )
        )
    study.approve_decoder(str(fitted["sha256"]), by=OPERATOR, effector=effector, participant_id=participant)


def _assess(study: Study, visit: str, *, seed: int) -> None:
    """ARAT twice, unassisted and assisted by the device. The item values are made up, and say so."""
    measure = outcomes.load("arat")
    for assisted, usual in ((False, 1), (True, 2)):
        items = {
            item.code: min(3, max(0, usual + ((seed + i) % 3 == 0) - ((seed + i) % 5 == 0)))
            for i, item in enumerate(measure.definition.items)
        }
        score = measure.score(items)
        study.append(
            Assessment(
                visit_id=visit,
                measure="arat",
                version=measure.definition.version,
                condition=Condition(assisted=assisted, device_on=assisted, stimulation_on=False),
                items=items,
                score=score.to_json(),
                rater="demo rater (made-up values)",
                side="right",
            )
        )


def _results(study: Study, programme: Programme, run_id: str) -> list[str]:
    """The one line that counts, and those that explain it, from the record."""
    trials = [t for t in study.nouns("trial", run_id=run_id) if isinstance(t, Trial)]
    paradigm = paradigms.from_params(programme.paradigm, programme.paradigm_params)
    if not paradigm.asynchronous:
        return [analysis.accuracy(trials, paradigm.classes).line()]
    metrics = analysis.event_metrics(
        trials, onset_window_s=float(paradigm.params()["onset_window_s"]), fs=programme.signal.fs
    )
    return [metrics.line(), metrics.rest_line(), metrics.timing_line()]


def _study(options: Options) -> Study:
    """The study to write to: a new one, or an existing one when ``--append`` says so."""
    folder = options.study or Path(f"study-demo-{datetime.now():%Y%m%d-%H%M%S}")
    exists = (folder / "study.db").exists()
    if exists and not options.append:
        raise Refused(f"{folder} holds a study already; add --append to add a session to it, or name another")
    if folder.exists() and not exists and any(folder.iterdir()):
        raise BadValue(f"{folder} is not empty and holds no study; choose a new folder, so that nothing is mixed")
    if exists:
        return Study.open(folder, actor=OPERATOR)
    return Study.create(folder, code="DEMO", title="Demonstration study", actor=OPERATOR)


def _speed(programme: Programme) -> float:
    """Smallest whole speed that keeps the runs within their share of three minutes."""
    return float(max(1, -(-programme.seconds // RUNS_S)))


def _files(study: Study, run_ids: list[str]) -> list[str | Path]:
    """Recordings of runs, in order."""
    return [study.folder / study.rows("recording", run_id=run_id)[0]["path"] for run_id in run_ids]


def _start_words(status: Mapping[str, Any]) -> str:
    return {"compiling": "Compiling kernels", "connecting": "Connecting streams"}.get(
        str(status["engine"]["state"]), "Starting engine and players"
    )


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stdout)
    sys.stdout.flush()


def _offer(folder: Path) -> None:
    """JupyterLab or the dashboard, when somebody sits there to choose."""
    _say("")
    _say(f"Dashboard  workbench dashboard {folder}")
    _say("Notebooks  jupyter lab notebooks")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    answer = input("Open now? [d]ashboard, [l]ab, anything else to end: ").strip().lower()
    commands = {
        "d": [sys.executable, "-m", "workbench", "dashboard", str(folder)],
        "l": [sys.executable, "-m", "jupyter", "lab"],
    }
    if answer[:1] in commands:
        started = time.monotonic()
        code = subprocess.call(commands[answer[:1]])
        if code and time.monotonic() - started < 10:
            raise EngineFault(f"it did not start (exit {code}); run the command above to see why")
