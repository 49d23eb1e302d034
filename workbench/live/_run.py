"""One run: what was asked for, checked; its recording; what came of it so far."""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench import __version__, decoders, paradigms
from workbench.decode import StreamingDecoder
from workbench.devices import lsl
from workbench.errors import BadValue, DecoderMismatch, RecordingFault
from workbench.live._deadline import Deadline, Latency
from workbench.live._feed import Feed
from workbench.live._ledger import Ledger
from workbench.live._streams import Stream
from workbench.live.plan import SessionPlan, montage_of
from workbench.paradigms import Paradigm, PlannedCue
from workbench.recording import RunWriter, ensure_space, needed_bytes
from workbench.vocabulary import Acknowledgement, Command, Decision, LedgerRow, Marker, StreamSpec, Trial

KINDS = ("calibration", "online")
HISTORY_S = 10.0
MAX_TRIALS = 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True)
class Asked:
    """A request for a run, checked."""

    id: str
    kind: str
    paradigm: Paradigm
    n_trials: int
    seed: int
    decoder: Any | None
    decoder_sha256: str
    decoder_name: str
    approved: bool
    approved_sha256: str
    schedule: tuple[PlannedCue, ...]

    @property
    def seconds(self) -> float:
        """Planned stream time, s."""
        last = self.schedule[-1]
        return last.at_s + last.duration_s


def asked_of(args: Mapping[str, Any], *, signal: StreamSpec) -> Asked:
    """Check a request for a run.

    Raises
    ------
    BadValue, UnknownName
        For a kind, paradigm, parameter or number that is not allowed.
    RecordingFault, DecoderMismatch
        For a decoder that cannot be read, was changed, or is for another montage or paradigm.
    """
    kind, n_trials = str(args.get("kind")), args.get("n_trials")
    if kind not in KINDS:
        raise BadValue(f"kind of a run must be one of {', '.join(KINDS)}, got {kind!r}")
    if not isinstance(n_trials, int) or not 1 <= n_trials <= MAX_TRIALS:
        raise BadValue(f"a run must have 1 to {MAX_TRIALS} trials, got {n_trials!r}")
    run_id = str(args.get("run_id") or f"run-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}")
    if not _NAME.fullmatch(run_id) or run_id.startswith("."):
        raise BadValue(f"run id must be 1 to 80 letters, digits and . _ -, got {run_id!r}")
    params = args.get("params") or {}
    try:
        paradigm = paradigms.from_params(str(args.get("paradigm")), dict(params))
    except TypeError as error:
        raise BadValue(f"parameters of paradigm {args.get('paradigm')}: {error}") from error
    seed = int(args.get("seed") or 0)
    decoder, sha256 = _decoder(str(args.get("decoder_folder") or ""), kind, paradigm, signal)
    approved = str(args.get("approved_sha256") or "")
    return Asked(
        id=run_id,
        kind=kind,
        paradigm=paradigm,
        n_trials=n_trials,
        seed=seed,
        decoder=decoder,
        decoder_sha256=sha256,
        decoder_name="" if decoder is None else str(decoder.name),
        approved=bool(sha256) and sha256 == approved,
        approved_sha256=approved,
        schedule=paradigm.schedule(n_trials, seed=seed),
    )


def _decoder(folder: str, kind: str, paradigm: Paradigm, signal: StreamSpec) -> tuple[Any | None, str]:
    """The decoder of an online run, verified, and its hash."""
    if kind == "calibration":
        if folder:
            raise BadValue("a calibration run has no decoder; leave decoder_folder out, or start an online run")
        return None, ""
    if not folder:
        raise BadValue("an online run needs a decoder; fit one on a calibration run and give its folder")
    decoder = decoders.read(Path(folder))
    decoders.check_montage(decoder, montage_of(signal))
    found, wanted = {str(c) for c in decoder.classes_}, set(paradigm.classes)
    if found != wanted:
        raise DecoderMismatch(
            f"paradigm {paradigm.name} needs a decoder for {', '.join(sorted(wanted))}; this one is for "
            f"{', '.join(sorted(found))}. Fit a decoder on runs of this paradigm"
        )
    return decoder, str(decoder.sha256_)


class LiveRun:
    """A run under way.

    Parameters
    ----------
    asked : the checked request. number : of the run in the session. signal, others : streams to record.

    Raises
    ------
    RecordingFault
        When the recording cannot be created or does not fit on the disk.
    """

    def __init__(
        self,
        asked: Asked,
        *,
        plan: SessionPlan,
        number: int,
        signal: Stream,
        others: list[Stream],
        ledger: Ledger,
        feed: Feed,
    ) -> None:
        self.asked, self.number, self.feed = asked, number, feed
        self.plan, self.signal, self._ledger = plan, signal, ledger
        self.state, self.sentence = "compiling", ""
        self.over = ""
        self.trials: list[Trial] = []
        self.stop_reason = ""
        hop_s = 0.05 if asked.decoder is None else float(asked.decoder.hop_s)
        self.hop = max(1, round(hop_s * signal.spec.fs))
        self.deadline = Deadline(hop_s=hop_s, speed=plan.speed)
        self.latency = Latency(representative=plan.speed == 1.0)
        self.recent: deque[tuple[float, float]] = deque()
        self.last: Decision | None = None
        self.streak = 0
        self.active = False
        self.began = 0.0
        self.acquired = 0.0
        self._slow: deque[float] = deque()
        streams = [signal, *others]
        folder = Path(plan.study_folder) / "recordings"
        ensure_space(folder, needed_bytes([s.spec for s in streams], seconds=1.2 * asked.seconds + 30.0))
        self.path = folder / f"{asked.id}.xdf"
        self.names = {s.spec.name for s in streams}
        self.writer = RunWriter(
            self.path,
            plan=self._header(),
            stamp=signal.stream_time(lsl.local_clock()),
            signal=signal.spec,
            others=[(s.spec, s.dtype) for s in others],
            dtype=signal.dtype,
            desc={"speed": plan.speed, "t0": signal.t0},
            on_slow_sync=self._slow.append,
        )
        self.closed = False

    def _header(self) -> dict[str, Any]:
        asked, plan = self.asked, self.plan
        return {
            "study": plan.study,
            "participant": plan.participant,
            "visit": plan.visit,
            "session": plan.session_id,
            "operator": plan.operator,
            "run": asked.id,
            "number": self.number,
            "kind": asked.kind,
            "paradigm": asked.paradigm.name,
            "params": asked.paradigm.params(),
            "n_trials": asked.n_trials,
            "seed": asked.seed,
            "decoder_sha256": asked.decoder_sha256,
            "decoder_name": asked.decoder_name,
            "approved": asked.approved,
            "classes": [] if asked.decoder is None else [str(c) for c in asked.decoder.classes_],
            "contract": [
                {"name": s.name, "type": s.type, "fs": s.fs, "channels": list(s.channels), "unit": s.unit,
                 "source_id": s.source_id, "critical": s.critical, "role": s.role, "counter": s.counter}
                for s in plan.contract
            ],
            "waived": dict(plan.waived),
            "effector": plan.effector or "",
            "simulated": plan.simulated,
            "cue_source": plan.cue_source,
            "speed": plan.speed,
            "t0": self.signal.t0,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "workbench": __version__,
        }  # fmt: skip

    # ---------------------------------------------------------------------------------- writing
    @property
    def live(self) -> bool:
        """Whether samples of now belong to it."""
        return self.state in ("running", "paused") and not self.over

    def end(self, state: str, sentence: str) -> None:
        """No more samples; ``state`` is shown once the recording is closed."""
        self.over, self.sentence = state, sentence

    @property
    def decoder(self) -> StreamingDecoder | None:
        """What decodes it."""
        found: StreamingDecoder | None = self.asked.decoder
        return found

    def record(self, item: Marker | Command | Acknowledgement) -> None:
        """Journal an event, a command or an acknowledgement. Any thread."""
        if self.closed:
            return
        if isinstance(item, Marker):
            self.writer.marker(item)
            if item.kind == "gap":
                self._enter_gap(item)
        elif isinstance(item, Command):
            self.writer.command(item)
        else:
            self.writer.ack(item)

    def _enter_gap(self, marker: Marker) -> None:
        missing = float(marker.detail.get("missing_s", 0.0))
        samples = int(marker.detail.get("samples", round(missing * self.signal.spec.fs)))
        back = missing < 0
        self._ledger.enter(
            LedgerRow(
                "clock_jump" if back else "gap",
                marker.stamp,
                lsl.local_clock(),
                sample=marker.sample,
                stream=self.signal.spec.name,
                extent=f"{missing * 1000:.0f} ms" if back else f"{samples} samples ({missing * 1000:.0f} ms)",
                consequence="a new clock segment begins; the open trial is excluded"
                if back
                else "filters start afresh; the open trial is excluded",
                priority="medium",
            )
        )

    def write_rows(self) -> None:
        """Journal the ledger rows that are in no recording yet."""
        while self._slow:
            took = self._slow.popleft()
            self._ledger.enter(
                LedgerRow(
                    "sync_slow",
                    self.feed.newest,
                    lsl.local_clock(),
                    sample=self.feed.seen,
                    extent=f"{took:.2f} s",
                    consequence="a power cut now could lose more than 1 s of signal",
                    priority="medium",
                )
            )
        seen, write = self.feed.seen, self.writer.ledger
        self._ledger.hand_over(lambda row: write(row if row.sample >= 0 else replace(row, sample=seen)))

    def decided(self, decision: Decision, *, decided: float, emitted: float) -> None:
        """Journal a decision, with its times, and keep it for the screen."""
        self.writer.decision(decision, acquired=self.acquired, decided=decided, emitted=emitted)
        if self.acquired:
            self.latency.add(emitted - self.acquired)
        p = decision.probabilities[self.target]
        self.last = decision
        self.recent.append((decision.stamp, p))
        while self.recent and decision.stamp - self.recent[0][0] > HISTORY_S:
            self.recent.popleft()
        if decision.change in ("activate", "release"):
            self.active, self.streak = decision.change == "activate", 0
            return
        params = self.asked.paradigm.params()
        past = p < params.get("release", 0.0) if self.active else p > params.get("activate", 1.0)
        self.streak = self.streak + 1 if decision.valid and past else 0

    @property
    def target(self) -> int:
        """Index of the class that the evidence bar shows."""
        classes = list(self.writer.classes)
        return classes.index(self.asked.paradigm.conditions[0])

    def trial(self, trial: Trial) -> None:
        """Journal a trial."""
        self.trials.append(trial)
        self.writer.trial(trial)

    def close(self) -> None:
        """Write what is left and close the recording with the state of the run."""
        if self.closed:
            return
        try:
            self.write_rows()
        finally:
            self.closed = True
            self.writer.close(state=self.over or "failed")
            self.state = self.over or "failed"

    def abandon(self, sentence: str) -> None:
        """The run failed: keep what was recorded."""
        self.end("failed", sentence)
        try:
            self.close()
        except RecordingFault as error:
            self.sentence = f"{sentence} {error}"
        self.state = "failed"

    # ---------------------------------------------------------------------------------- showing
    def status(self) -> dict[str, Any]:
        """The run's part of the status."""
        left, fs = self.feed.left_s(), self.signal.spec.fs
        over = self.state not in ("compiling", "running", "paused")
        return {
            "id": self.asked.id,
            "number": self.number,
            "kind": self.asked.kind,
            "paradigm": self.asked.paradigm.name,
            "state": self.state,
            "trials_done": len(self.trials),
            "trials_total": self.asked.n_trials,
            "elapsed_s": self.feed.seen / fs,
            "left_s": 0.0 if over else left,
            "left_real_s": 0.0 if over else None if left is None else left / self.plan.speed,
            "cue": None if over else self._cue(),
            "trials": [{"index": t.index, "condition": t.condition, "outcome": t.outcome} for t in self.trials],
            "recording": f"recordings/{self.path.name}",
            "sentence": self.sentence,
            "deadline": {"warnings": self.deadline.warnings, "overruns": self.deadline.overruns},
        }

    def _cue(self) -> dict[str, Any] | None:
        cue, coming = self.feed.cue, self.feed.next_cue()
        if cue is None:
            return None
        return {
            "label": cue.label,
            "trial": cue.detail.get("trial", -1),
            "elapsed_s": max(0.0, self.feed.newest - cue.stamp),
            "duration_s": cue.detail.get("duration_s", 0.0),
            "next": None if coming is None else {"label": coming[0], "in_s": coming[1]},
        }

    def evidence(self) -> dict[str, Any] | None:
        """The evidence's part of the status."""
        last = self.last
        if last is None:
            return None
        params = self.asked.paradigm.params()
        return {
            "classes": list(self.writer.classes),
            "target": self.asked.paradigm.conditions[0],
            "p": last.probabilities[self.target],
            "activate": params.get("activate"),
            "release": params.get("release"),
            "dwell": self.streak,
            "active": self.active,
            "dwell_needed": params.get("dwell", 0),
            "valid": last.valid,
            "history": [[round(t - last.stamp, 3), round(p, 4)] for t, p in self.recent],
        }


def rehearse(asked: Asked, *, signal: StreamSpec) -> None:
    """Compile everything a run will call: the whole loop over seconds of noise, with the real shapes."""
    from workbench.decode import decode

    fs, n = signal.fs, len(signal.measured)
    rows = round(5.0 * fs)
    noise = np.random.Generator(np.random.PCG64(0)).normal(0.0, 10.0, (rows, n)).astype(np.float32)
    feed = Feed(
        fs,
        record=lambda marker: None,
        present=lambda marker: None,
        watermark=lambda: float("inf"),
        clock=lambda: 0.0,
        timed_out=lambda stamp: None,
    )
    feed.plan(tuple(cue._replace(at_s=0.2 * i) for i, cue in enumerate(asked.schedule[:3])))
    stamps = np.arange(rows) / fs
    feed.mark("clock_offset", stamp=0.0, offset_s=1e-6)
    feed.samples(noise, stamps, local=0.0)
    feed.samples(noise[: rows // 4], stamps[: rows // 4] + rows / fs + 1.0, local=0.0)
    for _ in decode(feed.items(), asked.paradigm, asked.decoder, fs=fs):
        continue
