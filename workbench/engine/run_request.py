"""A request for a run, checked, and rehearsed with the real shapes before its first sample."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from workbench import control, decoders, kernels, messages, paradigms, world
from workbench.decode import decode
from workbench.engine.hop_clock import HopClock
from workbench.engine.live_source import LiveSource
from workbench.errors import BadValue, DecoderMismatch
from workbench.messages import Message
from workbench.paradigms import Paradigm, PlannedCue
from workbench.recording.other_streams import OtherStream
from workbench.signals.units import montage_of
from workbench.vocabulary import FloatArray, RunKind, StreamSpec

KINDS: tuple[RunKind, ...] = get_args(RunKind)
WITHOUT_DECODER: tuple[RunKind, ...] = ("calibration", "passive", "mapping")
"""Kinds of run that have no decoder; an open-loop run may have one."""
MAX_TRIALS = 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True)
class RunRequest:
    """A request for a run, checked; ``approved`` once the record's signed word on its decoder was verified.

    A sham run has ``moves`` for each trial, drawn, or those of the run that it is ``yoked_to``.
    """

    id: str
    kind: RunKind
    paradigm: Paradigm
    n_trials: int
    seed: int
    decoder: Any | None
    decoder_sha256: str
    decoder_name: str
    approved: bool
    schedule: tuple[PlannedCue, ...]
    yoked_to: str = ""
    moves: tuple[tuple[control.Move, ...], ...] = ()

    @property
    def scheduled(self) -> bool:
        """Whether a schedule moves the effector."""
        return self.kind in control.SCHEDULED

    @property
    def mover(self) -> str:
        """What moves the effector, as the grant names it: the decoder's hash, or the schedule of the procedure."""
        return f"{control.SCHEDULE}{self.kind}" if self.scheduled else self.decoder_sha256

    @property
    def inputs(self) -> tuple[str, ...]:
        """Roles of the streams that are decoded."""
        return ("signal",) if self.decoder is None else tuple(self.decoder.inputs)

    @property
    def adapts(self) -> str:
        """Rule by which the decoder adapts while it decides, empty for none."""
        settings = None if self.decoder is None else self.decoder.adapt_settings
        return "" if settings is None else str(settings.rule)

    @property
    def bound(self) -> float:
        """Distance from the fit at which its decoder goes back to it, infinite where it does not adapt."""
        settings = None if self.decoder is None else self.decoder.adapt_settings
        return inf if settings is None else float(settings.limit)

    @property
    def choices(self) -> tuple[str, ...]:
        """What the probabilities of its decisions are of; empty without a decoder."""
        classes = () if self.decoder is None else tuple(str(name) for name in self.decoder.classes_)
        return self.paradigm.choices(classes)

    @property
    def seconds(self) -> float:
        """Planned stream time, s."""
        last = self.schedule[-1]
        return last.at_s + last.duration_s


def parse_run_request(
    args: Mapping[str, Any], *, signal: StreamSpec, beside: Sequence[StreamSpec] = ()
) -> RunRequest:
    """Check a request for a run.

    Parameters
    ----------
    args : the request.
    signal, beside : lines of the contract of the decoded stream, and of those that may be decoded beside it.

    Raises
    ------
    BadValue, UnknownName
        For a kind, paradigm, parameter or number that is not allowed.
    RecordingFault, DecoderMismatch
        For a decoder that cannot be read, was changed, or is for another montage or paradigm.
    """
    kind: RunKind | None = next((kind for kind in KINDS if kind == args.get("kind")), None)
    if kind is None:
        raise BadValue(Message("engine.run_kind", kinds=KINDS, got=repr(str(args.get("kind")))))
    n_trials = args.get("n_trials")
    # `type`, because True is an int as well.
    if type(n_trials) is not int or not 1 <= n_trials <= MAX_TRIALS:
        raise BadValue(Message("run.n_trials", most=MAX_TRIALS, got=repr(n_trials)))
    run_id = str(args.get("run_id") or f"run-{world.clock.local():%Y%m%dT%H%M%S}-{world.chance.token_hex(4)}")
    # It becomes a file name.
    if not _NAME.fullmatch(run_id) or run_id.startswith("."):
        raise BadValue(Message("engine.run_id", got=repr(run_id)))
    seed = args.get("seed") or 0
    if type(seed) is not int or seed < 0:
        raise BadValue(Message("engine.run_seed", got=repr(seed)))
    paradigm = _paradigm(args, kind)
    yoked_to = str(args.get("yoked_to") or "")
    if yoked_to and (kind != "sham" or not _NAME.fullmatch(yoked_to)):
        raise BadValue(Message("engine.yoked_to", got=repr(yoked_to)))
    decoder, sha256 = _decoder(str(args.get("decoder_folder") or ""), kind, paradigm, (signal, *beside))
    paradigm = paradigm.suited(remembers=decoder is None or decoder.remembers)
    return RunRequest(
        id=run_id,
        kind=kind,
        paradigm=paradigm,
        n_trials=n_trials,
        seed=seed,
        decoder=decoder,
        decoder_sha256=sha256,
        decoder_name="" if decoder is None else str(decoder.name),
        approved=False,
        schedule=paradigm.schedule(n_trials, seed=seed),
        yoked_to=yoked_to,
    )


def _paradigm(args: Mapping[str, Any], kind: RunKind) -> Paradigm:
    """The paradigm of a request for a run of that kind."""
    name, params = str(args.get("paradigm")), args.get("params") or {}
    if not isinstance(params, Mapping):
        raise BadValue(Message("engine.run_params", got=repr(params)))
    try:
        paradigm = paradigms.from_params(name, dict(params))
    except TypeError as error:
        raise BadValue(Message("engine.paradigm_params", paradigm=name, why=messages.of(error))) from error
    if paradigm.by_operator != (kind == "mapping"):
        raise BadValue(Message("engine.mapping_paradigm", paradigm=name, kind=kind))
    return paradigm


def _decoder(folder: str, kind: str, paradigm: Paradigm, lines: Sequence[StreamSpec]) -> tuple[Any | None, str]:
    """The decoder of a run, verified, and its hash."""
    if kind in WITHOUT_DECODER and folder:
        raise BadValue(
            Message("engine.no_decoder_in_calibration")
            if kind == "calibration"
            else Message("engine.no_decoder_in_run", kind=control.SCHEDULED[kind])
        )
    if not folder:
        if kind in (*WITHOUT_DECODER, "open_loop"):
            return None, ""
        raise BadValue(Message("engine.decoder_needed"))
    decoder = decoders.read(Path(folder))
    decoders.check_inputs(decoder, {line.role: montage_of(line) for line in lines})
    decoded, wanted = {str(c) for c in decoder.classes_}, set(paradigm.classes)
    if decoded != wanted:
        raise DecoderMismatch(
            Message(
                "engine.decoder_of_other_classes",
                paradigm=paradigm.name,
                wanted=sorted(wanted),
                classes=sorted(decoded),
            )
        )
    if decoder.evidence_type.kind != paradigm.evidence:
        raise DecoderMismatch(
            Message(
                "engine.decoder_of_other_evidence",
                paradigm=paradigm.name,
                wanted=paradigm.evidence,
                got=decoder.evidence_type.kind,
            )
        )
    return decoder, str(decoder.sha256_)


def rehearse(request: RunRequest, *, signal: StreamSpec, beside: Sequence[StreamSpec] = ()) -> None:
    """Compile everything a run will call: the whole loop over seconds of noise, with the real shapes.

    Parameters
    ----------
    request : of the run.
    signal, beside : lines of the contract of the decoded stream, and of those that may be decoded beside it.
    """
    if request.decoder is not None:
        # Also those that only a rare sample needs. Without a decoder the rehearsal calls all that the run does.
        kernels.ready()
    others = {line.role: OtherStream(line) for line in beside if line.role in request.inputs}
    hop_clock = HopClock(
        others,
        record=lambda marker: None,
        clock=lambda: 0.0,
        is_away=lambda role: False,
        timed_out=lambda roles: None,
        gap=lambda role, marker: None,
    )
    source = LiveSource(
        signal.fs,
        record=lambda marker: None,
        present=lambda marker: None,
        watermark=lambda: float("inf"),
        clock=lambda: 0.0,
        timed_out=lambda stamp: None,
        hop_clock=hop_clock if others else None,
    )
    source.plan(tuple(cue._replace(at_s=0.2 * i) for i, cue in enumerate(request.schedule[:3])))
    source.mark("clock_offset", stamp=0.0, offset_s=1e-6)
    for noise, stamps in _noise(signal, signal.measured):
        source.samples(noise, stamps, local=0.0)
    for role, stream in others.items():
        for noise, stamps in _noise(stream.spec, stream.spec.channels):
            hop_clock.samples(role, noise, stamps, local=0.0)
    # Noise is unlike any training data: a decoder that rejected it would neither gather evidence nor adapt.
    decoder = None if request.decoder is None else request.decoder.tolerant()
    for _ in decode(source.items(flush=True), request.paradigm, decoder, fs=signal.fs):
        continue


def _noise(line: StreamSpec, channels: Sequence[str]) -> Iterator[tuple[NDArray[np.float32], FloatArray]]:
    """Samples of noise and their stamps: 5 s, and after a gap of 2 s a quarter of them again."""
    rows = round(5.0 * line.fs)
    # From weak to strong, so that some windows lie within the power of whatever the decoder was fitted on.
    strength = np.geomspace(5.0, 40.0, rows)[:, None]
    noise = world.chance.generator(0).normal(0.0, strength, (rows, len(channels))).astype(np.float32)
    stamps = np.arange(rows) / line.fs
    yield noise, stamps
    # So that what resets the decoder is compiled too.
    yield noise[: rows // 4], stamps[: rows // 4] + rows / line.fs + 2.0
