"""The samples that a number rests on: from the hash of a recording and a range of samples to the scope.

A dataset, a report and a page name samples by the SHA-256 of their recording and the first and last sample. The
file is compared with that hash before anything of it is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, UnknownName
from workbench.figures import interactive
from workbench.figures.interactive import Mark, Period
from workbench.messages import Message
from workbench.recording import RunFile
from workbench.reports.texts import Texts
from workbench.signals.cues import locate_cues

if TYPE_CHECKING:
    from workbench.study import Study

RANGE = re.compile(r"(\d{1,15})[:\-–](\d{1,15})")
SHORTEST = 8
"""Digits by which a recording is named at least."""
MOST = 20_000_000
"""Values of all channels that are read for one picture."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Samples:
    """A range of samples of a recording that was compared with its hash.

    Attributes
    ----------
    row : of the table ``recording``.
    run : the recording.
    first, last : samples of its signal, both included.
    """

    row: Row
    run: RunFile
    first: int
    last: int


def parse(text: str) -> tuple[int, int]:
    """First and last sample of ``"1200:84000"``; as datasets write it, with a hyphen, too.

    Raises
    ------
    BadValue
        For anything else, or a last sample before the first.
    """
    found = RANGE.fullmatch(text.strip())
    first, last = (int(one) for one in found.groups()) if found else (1, 0)
    if last < first:
        raise BadValue(Message("samples.range", got=f"{text!r:.40}"))
    return first, last


def recording_of(study: Study, digest: str) -> Row:
    """The row of a recording by its SHA-256, or by the start of it.

    Parameters
    ----------
    study : the open record.
    digest : at least :data:`SHORTEST` hexadecimal digits.

    Raises
    ------
    BadValue
        Too short, or no hexadecimal number.
    UnknownName
        No recording, or several.
    """
    wanted = digest.strip().lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", wanted):
        raise BadValue(Message("samples.digest", least=SHORTEST, got=f"{digest!r:.80}"))
    found = [row for row in study.rows("recording") if str(row["sha256"]).startswith(wanted)]
    if len(found) != 1:
        raise UnknownName(Message("samples.unknown", got=wanted, n=len(found), of=len(study.rows("recording"))))
    return found[0]


def of(study: Study, digest: str, first: int, last: int) -> Samples:
    """A range of samples, once the file was compared with the record.

    Parameters
    ----------
    study : the open record.
    digest : of the recording, or the start of it.
    first, last : samples, both included.

    Raises
    ------
    BadValue, UnknownName
        As :func:`recording_of`; a range that the recording does not hold.
    RecordFault
        The file is gone, or is not the one that the record holds.
    """
    row = recording_of(study, digest)
    path = study.folder / str(row["path"])
    what = Message("samples.noun")
    if not path.is_file() or reading.sha256(path, what, error=RecordFault) != row["sha256"]:
        raise RecordFault(Message("verify.file_differs", what=what, path=str(row["path"])))
    run = RunFile(path)
    n = len(run.signal.stamps)
    if not 0 <= first <= last < n:
        raise BadValue(Message("samples.outside", first=first, last=last, n=n, end=n - 1))
    return Samples(row, run, first, last)


def figure_of(
    run: RunFile, first: int, last: int, *, channels: Sequence[str] | None = None, language: str = "en",
) -> Any:  # fmt: skip
    """The samples of a run on the scope, with its cues and events.

    Parameters
    ----------
    run : a recorded run.
    first, last : samples, both included.
    channels : which, and in what order; all by default.
    language : of its texts, ``"en"`` or ``"zh-CN"``.

    Raises
    ------
    UnknownName
        A channel that the recording does not have; the text lists those it has.
    BadValue
        More samples than a picture is made of.
    """
    signal, t = run.signal, Texts(language)
    names = list(channels or signal.channels)
    for name in names:
        if name not in signal.channels:
            raise UnknownName(
                Message("samples.channel", file=run.path.name, got=f"{name!r:.60}", known=list(signal.channels))
            )
    if (last + 1 - first) * len(signal.channels) > MOST:
        longest = max(1, MOST // len(signal.channels))
        raise BadValue(Message("samples.many", n=last + 1 - first, most=longest))
    # Rows before columns: the recording may be far larger than the part that is shown.
    samples = run.units.scale(np.asarray(signal.values[first : last + 1], dtype=np.float64))
    samples = samples[:, [signal.channels.index(name) for name in names]]
    # Samples over the rate, not stamps: cues and decisions are counted in samples too.
    times = (first + np.arange(len(samples))) / signal.fs
    events = [
        Mark(marker.sample / signal.fs, marker.label or marker.kind)
        for marker in run.markers()
        if marker.kind not in ("cue", "run") and first <= marker.sample <= last
    ]
    return interactive.scope(
        times, samples, channels=names,
        periods=[one for one in periods_of(run) if one.stop_s > times[0] and one.start_s < times[-1]],
        marks=events, title=f"{signal.name}, {run.path.name}",
        simulated=is_simulated(run) and t("samples_simulated"),
        words={name: t.raw(f"samples_{name}") for name in interactive.SCOPE_WORDS},
    )  # fmt: skip


def periods_of(run: RunFile) -> list[Period]:
    """Cued periods of a run; rest is drawn paler and has no label."""
    fs, rest = run.signal.fs, str(run.plan.get("params", {}).get("rest", ""))
    cues, _ = locate_cues(run.items(), fs=fs)
    return [
        Period(cue.sample / fs, cue.sample / fs + cue.duration_s, cue.label, strong=cue.label != rest)
        for cue in cues
    ]


def is_simulated(run: RunFile) -> bool:
    """Whether the participant of a recorded run was simulated."""
    return bool(run.plan.get("simulated"))


def page(study: Study, found: Samples, *, channels: Sequence[str] | None = None, language: str = "en") -> str:
    """The samples as one HTML file: who, which run, which recording, which samples, and the scope.

    Parameters
    ----------
    study : the open record.
    found : the samples.
    channels : which, and in what order; all by default.
    language : ``"en"`` or ``"zh-CN"``.
    """
    t = Texts(language)
    row, fs = found.row, found.run.signal.fs
    run = study.get("run", row["run_id"])
    session = study.get("session", run["session_id"])
    visit = study.get("visit", session["visit_id"])
    person = study.get("participant", visit["participant_id"])
    span = f"{found.first}:{found.last}"
    facts = [
        (t("participant"), str(person["pseudonym"])), (t("visit"), str(visit["name"])),
        (t("session"), t.moment(str(session["started"]))), (t("col_run"), str(run["number"])),
        (t("samples_recording"), f"{row['path']} · {row['sha256']}"),
        (
            t("samples_range"),
            t("samples_of", span=span, n=len(found.run.signal.stamps), start=f"{found.first / fs:.3f}",
              stop=f"{found.last / fs:.3f}", fs=f"{fs:g}"),
        ),
    ]  # fmt: skip
    heading = t("samples_title", participant=person["pseudonym"], span=span)
    figure = figure_of(found.run, found.first, found.last, channels=channels, language=language)
    return interactive.page(figure, heading=heading, facts=facts, language=language)


def write(text: str, path: Path) -> None:
    """Put a page into a file; one of these pages is replaced, and nothing else.

    Parameters
    ----------
    text : of the page.
    path : of the file.

    Raises
    ------
    BadValue
        A file that is something else, or cannot be written.
    """
    what = Message("samples.page_noun")
    try:
        # Its start alone: what is there may be anything, and of any size.
        if path.exists() and interactive.MARK.encode() not in reading.read_start(path, what, 200):
            raise BadValue(Message("samples.there", path=reading.shown(path)))
        world.disk.save(path, text.encode(), mode=0o600)
    except OSError as error:
        raise BadValue(
            Message("samples.not_written", path=reading.shown(path), why=str(error.strerror))
        ) from error
