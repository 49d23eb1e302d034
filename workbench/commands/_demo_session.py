"""The session of `workbench demo`: the main job on real LSL, end to end, in three minutes.

New study folder → calibration run → fitted, hashed, approved decoder → online run with an effector →
trials → ARAT, unassisted and assisted, or the visits of the system's protocol in time-lapse → report → replay.
Everything simulated is labelled so.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workbench import analysis, control, live, outcomes, paradigms, runs, systems
from workbench.commands import _demo_visits
from workbench.commands._arguments import LARGEST_SEED
from workbench.commands._progress import Bar
from workbench.errors import BadValue, EngineFault, RecordFault, Refused
from workbench.recording import RunFile, ensure_space, needed_bytes
from workbench.reports import Cued, result_of_run, session_report, trial_report
from workbench.runs import approve as approving
from workbench.runs import grant
from workbench.study import Study, stores, utc_now
from workbench.systems import BoundSystem, replay_recordings
from workbench.vocabulary import Assessment, Condition, Participant, Trial, Visit

OPERATOR = "demo operator"
RESTING_MMHG = 115.0
"""Resting systolic pressure that the script enters, made up, mmHg."""
START_S, FIT_S, CLOSE_S = 25.0, 8.0, 12.0
"""Expected real seconds of the parts beside the runs; they only scale the progress bar."""
RUNS_S = 70.0
"""Real seconds that the runs may take together when no speed is given."""
SLOWEST, FASTEST = 0.1, 100.0
"""Speeds that make sense: stream time over real time."""
RESERVE_BYTES = 200_000_000
"""Free space that the engine keeps in reserve, bytes; it refuses a run on a disk with less."""
LOCK_S, END_S = 15.0, 60.0
"""How long an engine that is starting may take to appear, and to end, real seconds."""


@dataclass(frozen=True)
class Options:
    """Options of the command line; see ``workbench demo --help``."""

    study: Path | None = None
    system: str = ""
    task: str = ""
    append: bool = False
    seed: int = 1
    speed: float | None = None
    browser: bool = True
    recordings: tuple[Path, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    declared_by: str = ""
    language: str = "en"


def run(options: Options) -> int:
    """Run the demo; returns the exit code (1 when a replayed decision differs from the record)."""
    _check(options)
    # Before the study is created: slow imports, and what is missing for them, must not leave an empty study
    # behind.
    live.load()
    runs.load()
    system = _system(options)
    speed = options.speed if options.speed is not None else _speed(system)
    study = _study(options, system)
    _say(f"Study      {study.folder}")
    _say(f"Source     {system.source.text}")
    note = "" if speed == 1 else "; latency is not representative"
    _say(f"Speed      {speed:g} × (stream time over real time{note})")
    for text in system.source.notes:
        _say(f"Note       {text}")
    bar = Bar(START_S + system.seconds / speed + FIT_S + CLOSE_S)
    # The callbacks run only when the session fails: pop_all disarms them at its proper end.
    with closing(study), ExitStack() as on_failure:
        on_failure.callback(_report_kept, study)
        on_failure.callback(bar.close)
        for line in runs.ingest_pending(study):
            _say(f"Earlier    {line}")
        outcome = _session(study, system, options, speed=speed, bar=bar)
        on_failure.pop_all()
        bar.close()
    for line in [*outcome.lines, *_next(study.folder)]:
        _say(line)
    if options.browser:
        _offer(study.folder)
    return 0 if outcome.equal else 1


def _system(options: Options) -> BoundSystem:
    """Recordings when the command line names any, else the simulation of a system."""
    if options.recordings or options.conditions or options.unit or options.declared_by:
        if options.task or options.system not in ("", replay_recordings.SYSTEM.name):
            asked = f"{options.system} {options.task}".strip()
            raise BadValue(
                f"--recordings plays {replay_recordings.SYSTEM.name}, so --system and --task have no place; got "
                f"{asked!r}; leave them out, or leave the recordings out"
            )
        return replay_recordings.play(
            options.recordings, options.conditions, unit=options.unit, declared_by=options.declared_by
        )
    return systems.simulate(systems.load(options.system or systems.USUAL), task=options.task, seed=options.seed)


def _check(options: Options) -> None:
    """Refuse impossible options before anything is created."""
    speed, seed = options.speed, options.seed
    if speed is not None and not SLOWEST <= speed <= FASTEST:
        raise BadValue(
            f"--speed must be from {SLOWEST:g} to {FASTEST:g} (1 = real time), got {speed:g}; "
            "leave it out to let the demo end within three minutes"
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise BadValue(f"--seed must be an integer from 0 to {LARGEST_SEED}, got {seed}")


@dataclass(frozen=True)
class _Outcome:
    lines: list[str]
    equal: bool


def _session(study: Study, system: BoundSystem, options: Options, *, speed: float, bar: Bar) -> _Outcome:
    """The whole session: runs, fit, assessments, report, replay."""
    number = len(study.rows("participant")) + 1
    participant = study.append(Participant(f"DEMO-{number:02d}", simulated=system.source.simulated))
    script = study.script_signer(f"{OPERATOR} (demo script)")
    lapse = _demo_visits.plan_visits(study, system.system, participant, script) if _lapses(options, system) else {}
    visit = _demo_visits.live_visit(lapse) if lapse else study.append(Visit(participant, "demo"))
    if system.system.stimulation is not None:
        examples = system.system.stimulation.example
        systems.put_examples_into_force(study, examples, operator=f"{OPERATOR} (demo)")
    plan = system.new_session(
        study, visit=visit, operator=OPERATOR, speed=speed, seed=options.seed, script_present=True
    )
    with _engine(plan, bar=bar) as client:
        # The engine asks for a grant before it arms; the demo's script signs it and is recorded as a script.
        client.use_grants(grant.issuer(study, script))
        if plan.stimulation is not None and plan.stimulation.wearer.at_risk:
            # Nobody's pressure is measured here; without one nothing would be stimulated.
            client.take_pressure(RESTING_MMHG, resting=True, by=f"{OPERATOR} (demo script)")
        if plan.stimulation is not None and plan.stimulation.programme.needs_support:
            # Nobody stands here; without a name no current would flow.
            client.take_holder(f"{OPERATOR} (demo script)")
        fitted = _calibrated(study, client, system, options, speed=speed, bar=bar, participant=participant)
        # Another seed than the calibration's: the same schedule would let the decoder be tested on what it saw.
        last, kind = len(system.trials) - 1, "online" if fitted else "open_loop"
        judged = _run(client, system, kind, last, bar=bar, speed=speed, seed=options.seed + 1, fitted=fitted)
        _note_figures(study, client, system, judged)
    with bar.stage(f"Record, {'visits' if lapse else 'ARAT'}, report, replay", CLOSE_S):
        ingested = runs.ingest_pending(study)
        if lapse:
            _demo_visits.assess(study, system.system, lapse, script)
            (file,) = _files(study, [judged])
            _demo_visits.enter(study, system.system, visit, RunFile(file), script)
        else:
            _assess(study, visit, seed=options.seed, stimulates=plan.stimulation is not None)
        replayed = runs.replay_study(study.folder)
        files = session_report(study, language=options.language)
        more = _study_report(study, system, lapse, number=number, language=options.language) if lapse else []
    decoder = [f"Decoder    {fitted['sha256']}"] if fitted else []
    lines = [*ingested, *_results(study, system, judged), *decoder, *more]
    lines += [r.sentence for r in replayed]
    lines += [f"Report     {files.html}", f"           {files.pdf}", f"Recordings {study.folder / 'recordings'}"]
    return _Outcome(lines, all(r.equal for r in replayed))


def _calibrated(
    study: Study,
    client: live.Client,
    system: BoundSystem,
    options: Options,
    *,
    speed: float,
    bar: Bar,
    participant: str,
) -> Mapping[str, Any] | None:
    """Calibration runs and the decoder that they make, approved; None where the system decodes nothing."""
    if not system.decoder:
        return None
    calibration = [
        _run(client, system, "calibration", number, bar=bar, speed=speed, seed=options.seed)
        for number in range(len(system.trials) - 1)
    ]
    with bar.stage("Fitting the decoder", FIT_S):
        for line in runs.ingest_pending(study):
            _say(line)
        recipe = (system.decoder, system.decoder_params)
        fitted: Mapping[str, Any] = runs.run_fit(study.folder, _files(study, calibration), *recipe)
        _approve(study, fitted, participant=participant, system=system)
    return fitted


@contextmanager
def _engine(plan: live.SessionPlan, *, bar: Bar) -> Iterator[live.Client]:
    """The engine with its players; ended in good order even after an error."""
    with bar.stage("Starting engine and players", START_S):
        try:
            client = live.start(plan, progress=lambda s: bar.inside(0.0, _start_stage(s)))
        except KeyboardInterrupt:
            _end_starting(plan)
            raise
    with ExitStack() as on_failure:
        on_failure.callback(_release, client)
        yield client
        on_failure.pop_all()
    client.shutdown()


def _release(client: live.Client) -> None:
    """End the engine after an error; the first error is the one that is reported."""
    if live.find(client.study_folder) is not None:
        with suppress(EngineFault):
            client.shutdown()


def _end_starting(plan: live.SessionPlan) -> None:
    """End an engine that was interrupted while it started; one that fails ends by itself."""
    folder = Path(plan.study_folder)
    engine_folder = folder / "engine"
    # Only an engine of this very session: the folder may contain the plan of an earlier one.
    if not (engine_folder / "plan.json").exists() or plan.session_id not in (
        engine_folder / "plan.json"
    ).read_text("utf-8"):
        return
    pause, began = threading.Event(), time.monotonic()
    while live.find(folder) is None and not (engine_folder / "outcome.json").exists():
        if time.monotonic() - began > LOCK_S:
            return
        pause.wait(0.1)
    with suppress(EngineFault), live.attach(folder) as client:
        client.shutdown()
    while live.find(folder) is not None and time.monotonic() - began < END_S:
        pause.wait(0.1)


def _report_kept(study: Study) -> None:
    """After a session that failed: what was recorded, and how to continue."""
    for line in runs.ingest_pending(study):
        _say(line)
    if live.find(study.folder) is not None:
        _say(f"Running    the engine did not end; end it with: workbench end {study.folder}")
    _say(f"Kept       everything recorded so far, in {study.folder / 'recordings'}")
    _say(f"Next       another session in this study: workbench demo --append --study {study.folder}")


def _run(
    client: live.Client,
    system: BoundSystem,
    kind: str,
    number: int,
    *,
    bar: Bar,
    speed: float,
    seed: int,
    fitted: Mapping[str, Any] | None = None,
) -> str:
    """One run to its end; returns its id."""
    seconds = system.durations[number] / speed
    stage = f"{kind.replace('_', '-').capitalize()} run"
    with bar.stage(stage, seconds):
        run_id: str = client.start_run(
            kind,
            system.paradigm,
            system.params_of(kind),
            n_trials=system.trials[number],
            seed=seed,
            decoder_folder=fitted["folder"] if fitted else None,
        )
        if kind != "calibration" and system.effector:
            client.wait("running", timeout=60.0)
            client.arm_when_ready(OPERATOR)

        def follow(status: dict[str, Any]) -> None:
            run = status["run"] or {}
            done, total = run.get("trials_done", 0), run.get("trials_total", 0)
            paused = " (paused)" if run.get("state") == "paused" else ""
            bar.inside(seconds * done / max(total, 1), f"{stage}: trial {done} of {total}{paused}")
            if paused:
                _end_if_player_gone(client, kind, status)
                _resume(client)

        ended = client.wait("run", timeout=60.0 + 3.0 * seconds, progress=follow)
    run = ended["run"]
    if run["state"] != "finished":
        raise EngineFault(
            f"the {kind} run ended early ({run['state']}) after {run['trials_done']} of {run['trials_total']} "
            f"trials: {run.get('sentence') or 'no reason was given'}. Remove the cause, then start another session"
        )
    return run_id


def _resume(client: live.Client) -> None:
    """Resume, as an operator would once a silent stream is back; pause and resumption are in the record."""
    with suppress(Refused):
        client.resume()


def _end_if_player_gone(client: live.Client, kind: str, status: Mapping[str, Any]) -> None:
    """End a paused run whose player is gone: its stream cannot come back."""
    alarm = next((a for a in status["alarms"] if a["key"] == "player_ended"), None)
    if alarm is None:
        return
    run = status["run"]
    client.end_run()
    client.wait("run", timeout=30.0)
    raise EngineFault(
        f"the {kind} run ended early after {run['trials_done']} of {run['trials_total']} trials: "
        f"{alarm['what']} {alarm['means']} {alarm['do']}"
    )


def _lapses(options: Options, system: BoundSystem) -> bool:
    """Whether the visits of the protocol come in time-lapse: of a system that is named, and none of recordings."""
    return bool(options.system) and system.source.simulated and _demo_visits.lapses(system.system)


def _study_report(
    study: Study, system: BoundSystem, visits: Mapping[str, str], *, number: int, language: str
) -> list[str]:
    """What came of each endpoint, and the report of the participant over all visits."""
    made = trial_report(study, "participant", participant=f"DEMO-{number:02d}", language=language)
    told = list(_demo_visits.lines(study, system.system, visits))
    return [*told, *(f"Visits     {path}" for path, _ in made.files.values())]


def _approve(study: Study, fitted: Mapping[str, Any], *, participant: str, system: BoundSystem) -> None:
    """Enter the decoder and approve exactly its hash; the demo stands in for the person who would sign."""
    sha256 = approving.enter(study, fitted)
    signed = study.script_signer(f"{OPERATOR} (demo script)").confirm()
    approving.approve(
        study,
        sha256,
        effector=system.effector or "screen",
        participant_id=participant,
        by=signed,
        system=system.key,
        reason="demonstration",
    )


def _assess(study: Study, visit: str, *, seed: int, stimulates: bool) -> None:
    """ARAT twice, unassisted and assisted by the device. The item values are made up, and the rater says so."""
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
                condition=Condition(assisted=assisted, device_on=assisted, stimulation_on=assisted and stimulates),
                items=items,
                score=score.to_json(),
                rater="demo rater (made-up values)",
                side="right",
                blinded="no",
                administered_at=utc_now(),
            )
        )


def _results(study: Study, system: BoundSystem, run_id: str) -> list[str]:
    """The main result and the lines that explain it, from the record."""
    if not system.decoder:
        return _given(study, system, run_id)
    trials = [t for t in study.nouns("trial", run_id=run_id) if isinstance(t, Trial)]
    window_s = paradigms.hit_window_s(system.paradigm, system.paradigm_params)
    result = result_of_run(study, run_id)
    if isinstance(result, Cued) and result.reaching is not None:
        return [result.accuracy.line(), result.reaching.line()]
    if isinstance(result, Cued) and result.tracking is not None:
        return [result.accuracy.line(), result.tracking.line()]
    if isinstance(result, Cued) and result.selections is not None:
        return [result.selections.line()]
    if window_s is None:
        paradigm = paradigms.from_params(system.paradigm, system.paradigm_params)
        return [analysis.accuracy(trials, paradigm.classes).line()]
    metrics = analysis.event_metrics(trials, onset_window_s=window_s, fs=system.signal.fs)
    return [metrics.line(), metrics.rest_line(), metrics.timing_line()]


def _note_figures(study: Study, client: live.Client, system: BoundSystem, run_id: str) -> None:
    """The system's own figures of a run as notes in the ledger, which the report of its session lists."""
    if system.system.figures is None:
        return
    for line in runs.ingest_pending(study):
        _say(line)
    (file,) = _files(study, [run_id])
    for line in system.system.figures(RunFile(file)):
        client.note(line)


def _given(study: Study, system: BoundSystem, run_id: str) -> list[str]:
    """What a schedule gave: bouts, and the most current; then the figures of the system."""
    (file,) = _files(study, [run_id])
    run = RunFile(file)
    given = control.given(run.control(), run.decisions())
    flows = [any(one.given_ma) for one in given]
    bouts = sum(now and not before for before, now in zip([False, *flows], flows))
    most_ma = max((max(one.given_ma) for one in given), default=0.0)
    told = f"Given      {bouts} bouts of stimulation, at most {most_ma:g} mA"
    own = system.system.figures(run) if system.system.figures is not None else ()
    return [told, *(f"Figures    {line}" for line in own)]


def _study(options: Options, system: BoundSystem) -> Study:
    """The study to write to: a new one, or an existing one when ``--append`` says so."""
    folder = options.study or Path(f"study-demo-{datetime.now():%Y%m%d-%H%M%S}")
    try:
        exists = stores.holds_record(folder)
        filled = folder.is_dir() and any(folder.iterdir())
        # The nearest folder that exists: free space cannot be asked of one that is still to be created.
        on_disk = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.is_dir())
    except OSError as error:
        raise RecordFault(
            f"the study folder {folder} cannot be used ({error.strerror}); choose one that you may write to"
        ) from error
    if options.append and not exists:
        what = f"{folder} contains none" if options.study else "none was named"
        raise BadValue(f"--append adds a session to a study, and {what}; name it with --study DIR")
    if folder.exists() and not folder.is_dir():
        raise BadValue(f"{folder} is a file; --study needs a folder, best one that does not exist yet")
    if filled and not exists:
        raise BadValue(
            f"{folder} is not empty and contains no study; choose a new or an empty folder, to keep files apart"
        )
    ensure_space(on_disk, RESERVE_BYTES + needed_bytes([system.signal], seconds=system.seconds))
    if exists:
        return _existing(folder, append=options.append)
    return Study.create(folder, code="DEMO", title="Demonstration study", actor=OPERATOR)


def _existing(folder: Path, *, append: bool) -> Study:
    """An existing study without a running session."""
    if not append:
        raise Refused(
            f"{folder} contains a study already; add --append to add a session to it, or name another folder"
        )
    study = Study.open(folder, actor=OPERATOR)
    lock = live.find(folder)
    if lock is None:
        return study
    study.close()
    raise Refused(
        f"a session still runs in {folder} (engine process {lock['pid']}); look at it with 'workbench dashboard "
        f"{folder}', or end it in good order with 'workbench end {folder}', then try again"
    )


def _speed(system: BoundSystem) -> float:
    """Smallest integer speed that keeps the runs within their share of three minutes."""
    # -(-a // b) rounds up without the error that a division in floating point may bring.
    return float(max(1, -(-system.seconds // RUNS_S)))


def _files(study: Study, run_ids: list[str]) -> list[str | Path]:
    """Recordings of runs, in order; a run without one was not ingested, for the reason printed above."""
    files: list[str | Path] = []
    for run_id in run_ids:
        recording = next(iter(study.rows("recording", run_id=run_id)), None)
        if recording is None:
            raise RecordFault(
                f"run {run_id} was recorded and is not in the record, so no decoder can be fitted to it; remove "
                f"the cause that is named above, then run 'workbench demo --append --study {study.folder}'"
            )
        files.append(study.folder / recording["path"])
    return files


def _start_stage(status: Mapping[str, Any]) -> str:
    left = status["engine"]["kernels_left"]
    if left:
        return f"Compiling once, kernels left: {left}"
    return {"compiling": "Compiling kernels", "connecting": "Connecting streams"}.get(
        str(status["engine"]["state"]), "Starting engine and players"
    )


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stdout)
    sys.stdout.flush()


def _next(folder: Path) -> list[str]:
    """Suggested next commands."""
    return [
        f"Next       workbench dashboard {folder}    the live session on a screen",
        f"           workbench replay {folder}    every decision again, bit for bit",
        f"           workbench verify {folder}    the record, its audit chain and its files",
        f"           jupyter lab {_notebooks()}    the notebooks",
    ]


def _notebooks() -> Path:
    """The notebooks: inside the installed package, or beside it in the repository."""
    package = Path(__file__).resolve().parents[1]
    inside, beside = package / "notebooks", package.parent / "notebooks"
    folder = inside if inside.is_dir() else beside
    with suppress(ValueError):
        return folder.relative_to(Path.cwd())
    return folder


def _offer(folder: Path) -> None:
    """Offer JupyterLab or the dashboard at an interactive terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    commands = {
        "d": [sys.executable, "-m", "workbench", "dashboard", str(folder)],
        "l": [sys.executable, "-m", "jupyter", "lab", str(_notebooks())],
    }
    started = time.monotonic()
    try:
        answer = input("Open now? [d]ashboard, [l]ab, anything else to end: ").strip().lower()
        code = subprocess.call(commands[answer[:1]]) if answer[:1] in commands else 0
    except (EOFError, KeyboardInterrupt):
        return
    # A later exit code is how the user ended it; an early one means that it never came up.
    if code and time.monotonic() - started < 10:
        raise EngineFault(f"it did not start (exit {code}); run the command above to see why")
