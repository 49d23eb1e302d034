"""Makes the sample study next to this file: ``python data_samples/make.py [FOLDER] [--seed N]``.

One simulated participant, one calibration run, one online run, ARAT twice, one report. No LSL and no clock:
samples come from the simulated participant's pure function, go through the same time base, decode loop and
writers as a live run, and are stored by the same run-file convention. At 500 Hz and with short runs, so that
the files stay small. Everything in it is simulated; none of it is evidence.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import workbench
from workbench import decoders, outcomes, paradigms
from workbench.decode import decode
from workbench.devices.simulated_participant import NEO, SimParticipant
from workbench.paradigms import Paradigm
from workbench.recording import Corrector, RunFile, RunWriter, decision_hash, file_sha256
from workbench.reports import session_report
from workbench.runs.approve import approve
from workbench.signals import Timebase
from workbench.signals.cues import locate_cues
from workbench.study import Study
from workbench.vocabulary import (
    Assessment,
    Chunk,
    Condition,
    Decision,
    FittedDecoder,
    LedgerRow,
    Marker,
    Montage,
    Participant,
    Recording,
    Run,
    Session,
    StreamSpec,
    Trial,
    Visit,
)

SEED = 1
FS = 500.0
TRIALS = 8
T0 = 1000.0
"""LSL time of the first sample of the first run, s; made up."""
OPERATOR = "sample script"
BLOCK = 250


def main() -> None:
    """Parse the command line and make the study."""
    parser = argparse.ArgumentParser(description="Make the sample study again.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "study")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    if arguments.folder.exists():
        shutil.rmtree(arguments.folder)
    make(arguments.folder, seed=arguments.seed)
    print(f"made {arguments.folder}")


def make(folder: Path, *, seed: int = SEED) -> None:
    """Make the study in a folder that does not exist yet; without keys, because everybody may write a sample."""
    with Study.create(
        folder, code="SAMPLE", title="Sample study, simulated", actor=OPERATOR, keyed=False
    ) as study:
        participant = study.append(Participant("SIM-01", simulated=True, injury_level="C5", ais="A"))
        visit = study.append(Visit(participant, "baseline"))
        session = study.append(Session(visit, OPERATOR, simulated=True, plan={"speed": 1.0, "seed": seed}))
        paradigm = paradigms.load("grasp_rest")(rest_s=3.0, jitter_s=0.5)
        person = SimParticipant(seed, physiology=PERSON)
        calibration = _run(study, session, paradigm, number=1, person=person)
        sha256 = _fit(study, paradigm, calibration, participant=participant)
        person.step(round(30 * FS))
        _run(study, session, paradigm, number=2, person=person, decoder_sha256=sha256)
        _assess(study, visit)
        session_report(study)


PERSON = replace(NEO, name="neo-500", fs=FS)
"""The epidural preset at half its rate."""

SIGNAL = StreamSpec("sample-ecog", PERSON.kind, FS, PERSON.channels, "uV", source_id="sample-ecog")


def _played(
    writer: RunWriter, paradigm: Paradigm, *, person: SimParticipant, seed: int
) -> Iterator[Chunk | Marker]:
    """Samples and cues of one run, written to the recording on their way to the decode loop."""
    before, corrector = person.n_seen, Corrector(Timebase(FS))
    start = T0 + before / FS
    schedule = paradigm.schedule(TRIALS, seed=seed)
    total = round((schedule[-1].at_s + schedule[-1].duration_s) * FS)
    cues = {round(cue.at_s * FS): cue for cue in schedule}
    for cue in schedule:
        person.cue(before / FS + cue.at_s, cue.label, cue.duration_s)
    edges = sorted({*range(0, total, BLOCK), *cues, total})
    for at, stop in zip(edges, edges[1:], strict=False):
        if at in cues:
            detail = {"trial": cues[at].trial, "duration_s": cues[at].duration_s}
            marker = Marker("cue", at, start + at / FS, cues[at].label, detail)
            writer.marker(marker)
            yield from corrector.marker(marker)
        samples = person.step(stop - at).astype(np.float32)
        stamps = start + np.arange(at, stop) / FS
        writer.signal(samples, stamps)
        yield from corrector.samples(samples.astype(np.float64), stamps)
    end = Marker("end", total, start + total / FS)
    writer.marker(end)
    yield from corrector.marker(end)


def _run(
    study: Study,
    session: str,
    paradigm: Paradigm,
    *,
    number: int,
    person: SimParticipant,
    decoder_sha256: str = "",
) -> str:
    """Record one run and enter it in the study; returns its id."""
    kind = "online" if decoder_sha256 else "calibration"
    run_id = f"sample-{kind}"
    decoder = decoders.read(study.folder / "decoders" / decoder_sha256[:12]) if decoder_sha256 else None
    plan = {
        "study": study.code,
        "run": run_id,
        "number": number,
        "kind": kind,
        "paradigm": paradigm.name,
        "params": paradigm.params(),
        "decoder_sha256": decoder_sha256,
        "classes": [str(name) for name in decoder.classes_] if decoder else [],
        "speed": 1.0,
        "simulated": True,
        "workbench": workbench.__version__,
    }
    path = study.folder / "recordings" / f"{run_id}.xdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    found: dict[type, list[Any]] = {Decision: [], Trial: [], LedgerRow: []}
    with RunWriter(path, plan=plan, stamp=T0 + person.n_seen / FS, signal=SIGNAL) as writer:
        writers = {Decision: writer.decision, Trial: writer.trial, LedgerRow: writer.ledger}
        source = _played(writer, paradigm, person=person, seed=number)
        for item in decode(source, paradigm, decoder, fs=FS):
            writers[type(item)](item)
            found[type(item)].append(item)
    n_samples = len(RunFile(path).signal.stamps)
    summary = {"speed": 1.0, "decision_hash": decision_hash(found[Decision]) if decoder else "", "simulated": True}
    study.append_run(
        Run(
            session,
            number,
            kind,
            paradigm.name,
            "finished",
            run_id,
            decoder_sha256,
            TRIALS,
            paradigm.params(),
            summary,
        ),
        trials=found[Trial],
        ledger=found[LedgerRow],
        recordings=[
            Recording(
                run_id,
                f"recordings/{path.name}",
                file_sha256(path),
                path.stat().st_size,
                n_samples,
                FS,
                "finished",
            )
        ],
    )
    return run_id


def _fit(study: Study, paradigm: Paradigm, run_id: str, *, participant: str) -> str:
    """Fit, save, enter and approve the decoder; returns its hash."""
    recording = study.rows("recording", run_id=run_id)[0]
    file = RunFile(study.folder / recording["path"])
    cues, _ = locate_cues(file.items(), fs=FS)
    decoder = decoders.load("bandpower_lda")(fs=FS)
    decoder.prepare(len(file.signal.channels))
    window_s, hop_s = decoder.settings.window_s, decoder.settings.hop_s
    wanted = paradigm.training_windows(cues, fs=FS, window_s=window_s, hop_s=hop_s)
    training = decoders.collect(decoder, file.items(), wanted, n_channels=len(file.signal.channels))
    decoder.fit_summaries(training.summaries, training.labels)
    montage = Montage(tuple(file.signal.channels), FS, kind="ecog")
    made = study.folder / "decoders" / "new"
    sha256 = decoders.save(decoder, made, montage=montage, meta={"recordings": [recording["sha256"]]})
    made.rename(study.folder / "decoders" / sha256[:12])
    study.append(FittedDecoder(sha256, "bandpower_lda", f"decoders/{sha256[:12]}", (recording["sha256"],)))
    signed = study.script_signer(OPERATOR).confirm()
    approve(study, sha256, effector="screen", participant_id=participant, by=signed, reason="sample study")
    return sha256


def _assess(study: Study, visit: str) -> None:
    """ARAT without and with assistance; the values are made up."""
    measure = outcomes.load("arat")
    for assisted, usual in ((False, 1), (True, 2)):
        items = {item.code: min(3, usual + place % 2) for place, item in enumerate(measure.definition.items)}
        condition = Condition(assisted=assisted, device_on=assisted, stimulation_on=False)
        score = measure.score(items).to_json()
        version = measure.definition.version
        one = Assessment(visit, "arat", version, condition, items, score, "made-up values", side="right")
        study.append(replace(one, blinded="no", administered_at="2026-01-05T09:00:00Z"))


if __name__ == "__main__":
    main()
