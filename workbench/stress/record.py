"""Break a study record on purpose and count: killed writers, cut tails, flipped bits, edited fields.

The test suite runs a small size, ``workbench stress`` a large one. Of a record in a file its write-ahead log is
cut and bits of its pages flip, each case in a new folder, because a leaked handle on an overwritten file gives
false faults. Of one on a server bits of its values flip. What its owner can do to either is in
:mod:`workbench.stress.behind`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.stress import behind
from workbench.stress.behind import EditFigures, TailFigures
from workbench.stress.kept import Kept
from workbench.stress.scenario import gone
from workbench.study import anchors, record_file
from workbench.study.record import Study
from workbench.study.verification import verify
from workbench.vocabulary import Participant

Progress = Callable[[int, int], None]
ACKS = 30
"""A writer is killed after 1 to this many acknowledged entries."""


PROCESS, ENDED = "process ", "ended\n"
"""What the writers' parent says between their lines: the number of a new one, and that it is dead."""
KILLS_OF_A_STUDY = 100
"""Processes that are killed one after the other while they write the same study."""
BATCH = 50
"""Cases after which what was counted is kept."""
PARTS = ("kills", "cuts", "flips", "edits", "tails")


@dataclass(frozen=True, slots=True)
class KillFigures:
    """``acknowledged`` entries over all kills, how many of them were ``lost``, and records that did not verify."""

    kills: int
    acknowledged: int
    lost: int
    broken: int


@dataclass(frozen=True, slots=True)
class CutFigures:
    """Cuts of the log that left a ``valid`` prefix, cuts that lost entries, and those the anchors showed."""

    cuts: int
    valid: int
    losing: int
    shown: int


@dataclass(frozen=True, slots=True)
class FlipFigures:
    """Single-bit flips in live rows and how many ``verify`` found; ``missed`` are byte and bit of the others."""

    flips: int
    found: int
    missed: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one stress test; ``cuts`` is None of a record on a server, whose log is the server's own.

    ``flips`` are of the bytes of a file, or of values on a server.
    """

    kills: KillFigures
    cuts: CutFigures | None
    flips: FlipFigures | EditFigures
    edits: EditFigures
    tails: TailFigures
    seed: int

    @property
    def ok(self) -> bool:
        """Nothing lost, every cut left a valid prefix and was shown by the anchors, every edit was found."""
        cuts, tails = self.cuts, self.tails
        return (
            self.kills.lost == self.kills.broken == 0
            and (cuts is None or (cuts.valid == cuts.cuts and cuts.shown == cuts.losing))
            and not self.flips.missed
            and not self.edits.missed
            and (tails.found, tails.shown, tails.valid) == (tails.cut, tails.back, tails.back)
        )

    def text(self) -> str:
        """The figures as text, one line each."""
        k, c, f, e, t = self.kills, self.cuts, self.flips, self.edits, self.tails
        lines = [f"kill -9: {k.kills} kills, {k.acknowledged} acknowledged, {k.lost} lost, {k.broken} broken"]
        if c is not None:
            valid = f"{c.valid} valid prefixes, {c.shown} of {c.losing} losses shown by anchors"
            lines.append(f"log cut: {c.cuts} cuts, {valid}")
        if isinstance(f, FlipFigures):
            lines.append(f"bit flips in live rows: {f.found} of {f.flips} found")
        else:
            lines.append(f"bit flips in values of live rows: {f.found} of {f.edits} found")
        lines += [
            f"single fields edited with the triggers off: {e.found} of {e.edits} found",
            f"newest entries taken out of the chain: {t.found} of {t.cut} found",
            f"older state put back: {t.shown} of {t.back} shown by newer anchors, {t.valid} hold without anchors",
            *(f"missed: {place}" for place in (*f.missed, *e.missed)),
            f"seed: {self.seed}",
        ]
        return "\n".join(lines)


def run(
    *,
    kills: int,
    cuts: int,
    flips: int,
    edits: int,
    seed: int = 1,
    progress: Progress | None = None,
    database: str = "",
    keep: Path | None = None,
) -> Figures:
    """One stress test in temporary folders.

    Parameters
    ----------
    kills, cuts, flips : how many of each; as many tails are cut as logs.
    edits : fields that are edited at most; where the record has no more than that, every one is.
    seed : of the random choices (when to kill, where to cut, flip and edit).
    progress : called with (done, total) after each case; there may be fewer of them than that.
    database : URL of a PostgreSQL database that holds the records, ``""`` for files.
    keep : keeps what was counted, and is gone on from.

    Raises
    ------
    BadValue
        As :class:`workbench.stress.kept.Kept`.
    """
    done, total = 0, kills + cuts * (1 if database else 2) + flips + edits
    sizes = {"kills": kills, "cuts": cuts, "flips": flips, "edits": edits}
    kept = Kept(keep, "record", {"seed": seed, **sizes, "server": bool(database)})

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    with TemporaryDirectory() as folder:
        run = _Run(Path(folder), kept, seed, step, database)
        for _ in range(sum(int(kept.counts(part).get("cases", 0)) for part in PARTS)):
            step()
        run.killed(kills)
        if not database:
            run.cut(cuts)
            run.flipped_bytes(flips)
        run.behind(edits=edits, flips=flips if database else 0, tails=cuts)
    return run.figures()


class _Run:
    """One stress test, in batches: each is of a seed of its own, so that it may begin at any of them.

    Parameters
    ----------
    home : for its studies.
    kept : what was counted.
    seed : of the random choices.
    step : called after each case.
    database : URL of the server, ``""`` for files.
    """

    def __init__(self, home: Path, kept: Kept, seed: int, step: Callable[[], None], database: str) -> None:
        self._home, self._kept, self._seed, self._step, self._database = home, kept, seed, step, database

    def _batches(self, part: str, total: int) -> Iterator[tuple[int, int, int]]:
        """First case, number of cases and seed of each batch that is left."""
        most = KILLS_OF_A_STUDY if part == "kills" else BATCH
        for first, n in self._kept.left(part, total, most):
            yield first, n, random.Random(f"{self._seed} {part} {first}").getrandbits(32)

    def killed(self, kills: int) -> None:
        """Writers that are killed."""
        for first, n, seed in self._batches("kills", kills):
            folder = self._home / f"kill-{first}"
            made = kill_writers(folder, kills=n, seed=seed, step=self._step, database=self._database)
            told = {"acknowledged": made.acknowledged, "lost": made.lost, "broken": made.broken}
            self._kept.add("kills", n, told)

    def cut(self, cuts: int) -> None:
        """Logs of a file that are cut."""
        for first, n, seed in self._batches("cuts", cuts):
            made = cut_logs(self._home / f"cut-{first}", cuts=n, seed=seed, step=self._step)
            self._kept.add("cuts", n, {"valid": made.valid, "losing": made.losing, "shown": made.shown})

    def flipped_bytes(self, flips: int) -> None:
        """Bits of a file that flip."""
        for first, n, seed in self._batches("flips", flips):
            made = flip_bits(self._home / f"flip-{first}", flips=n, seed=seed, step=self._step)
            missed = [" ".join(map(str, place)) for place in made.missed]
            self._kept.add("flips", n, {"found": made.found, "missed": missed})

    def behind(self, *, edits: int, flips: int, tails: int) -> None:
        """What the owner of the database does: fields edited, values flipped, tails cut, older states put back."""
        sizes = {"flips": flips, "edits": edits, "tails": tails}
        if not any(True for part, total in sizes.items() for _ in self._kept.left(part, total, BATCH)):
            return
        folder = self._home / "edited"
        states = behind.filled(folder, self._database)
        with closing(behind.owner_of(folder)) as owner:
            for _first, n, seed in self._batches("flips", flips):
                values = behind.flipped(owner, states[-1], flips=n, seed=seed, step=self._step)
                self._kept.add("flips", n, {"found": values.found, "missed": list(values.missed)})
            fields = behind.chosen(owner, most=edits, seed=self._seed)
            for first, n, _seed in self._batches("edits", len(fields)):
                own = fields[first : first + n]
                made = behind.edited(owner, states[-1], own, step=self._step)
                self._kept.add("edits", n, {"found": made.found, "missed": list(made.missed)})
            for _first, n, seed in self._batches("tails", tails):
                cut = behind.tails(owner, states, cases=n, seed=seed, step=self._step)
                self._kept.add("tails", n, {"found": cut.found, "shown": cut.shown, "valid": cut.valid})
        gone(folder)

    def figures(self) -> Figures:
        """What all batches counted, those of earlier runs among them."""
        k, c, f, e, t = (defaultdict(int, self._kept.counts(part)) for part in PARTS)
        flips: FlipFigures | EditFigures
        if self._database:
            flips = EditFigures(f["cases"], f["found"], tuple(f["missed"] or ()))
        else:
            places = [tuple(map(int, place.split())) for place in f["missed"] or ()]
            flips = FlipFigures(f["cases"], f["found"], tuple((at, bit) for at, bit in places))
        return Figures(
            kills=KillFigures(k["cases"], k["acknowledged"], k["lost"], k["broken"]),
            cuts=None if self._database else CutFigures(c["cases"], c["valid"], c["losing"], c["shown"]),
            flips=flips,
            edits=EditFigures(e["cases"], e["found"], tuple(e["missed"] or ())),
            tails=TailFigures(t["cases"], t["found"], t["cases"], t["shown"], t["valid"]),
            seed=self._seed,
        )


# ---------------------------------------------------------------------------------------- kill -9
def write(folder: Path, *, entries: int | None = None, out: int = 1) -> None:
    """Append and amend, for ever or ``entries`` times; a line ``id version`` on ``out`` for each stored entry.

    Parameters
    ----------
    folder : of the study.
    entries : how many pairs of entries, None for no end.
    out : file descriptor of the acknowledgements.
    """
    with Study.open(folder, actor="writer") as study:
        for _ in count() if entries is None else range(entries):
            person = study.append(Participant(pseudonym=os.urandom(8).hex()))
            # Unbuffered: a line that was read is an entry that was acknowledged before the kill.
            os.write(out, f"{person} 1\n".encode())
            version = study.amend("participant", person, {"ais": "A"}, reason="stress")
            os.write(out, f"{person} {version}\n".encode())


class _Writers:
    """Makes writing processes, each forked from one that has imported what all of them need."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "workbench.stress.record"]
        self._parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> _Writers:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process that the others come from."""
        self._parent.communicate()

    def killed(self, folder: Path, *, after: int, wait_s: float) -> list[str]:
        """Let one write until it has acknowledged so many entries, kill it a moment later; what it acknowledged.

        Parameters
        ----------
        folder : of the study.
        after : entries.
        wait_s : the moment, s.
        """
        source, target = self._parent.stdin, self._parent.stdout
        assert source is not None
        assert target is not None
        source.write(f"{folder}\n")
        source.flush()
        lines: list[str] = []
        pid = 0
        while len(lines) < after or not pid:
            # The first entry may be told before the number of the process.
            line = target.readline()
            if line.startswith(PROCESS):
                pid = int(line.removeprefix(PROCESS))
            elif line:
                lines.append(line)
            else:
                raise RuntimeError("the writers of the stress test ended by themselves")
        time.sleep(wait_s)
        os.kill(pid, signal.SIGKILL)
        while (line := target.readline()) != ENDED:
            lines.append(line)
        return lines


def _fork_writers() -> None:
    """For each folder that comes on standard input a writing process, until it is killed."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            write(Path(line.rstrip("\n")))
        os.write(1, f"{PROCESS}{child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, ENDED.encode())


def kill_writers(
    folder: Path, *, kills: int, seed: int, step: Callable[[], None], database: str = ""
) -> KillFigures:
    """Kill a writing process repeatedly, and look for every entry that it acknowledged.

    Parameters
    ----------
    folder : of the study, new.
    kills : how many.
    seed : of the moments.
    step : called after each kill.
    database : URL of a PostgreSQL database that holds the record, ``""`` for a file.
    """
    chance = random.Random(seed)
    acknowledged = lost = broken = 0
    with _Writers() as writers:
        for number in range(kills):
            # Verifying a study of a thousand kills a thousand times would take longer than killing.
            if number % KILLS_OF_A_STUDY == 0:
                if number:
                    gone(folder)
                Study.create(folder, code="stress", title="kill", actor="stress", database=database).close()
            # The kill falls anywhere within the next entry.
            lines = writers.killed(folder, after=chance.randint(1, ACKS), wait_s=chance.random() * 0.004)
            stored = dict(line.split() for line in lines)
            with Study.open(folder, actor="stress") as study:
                versions = {row["id"]: row["row_version"] for row in study.rows("participant")}
                broken += not study.verify().ok
            acknowledged += len(lines)
            lost += sum(versions.get(person, 0) < int(version) for person, version in stored.items())
            step()
    gone(folder)
    return KillFigures(kills=kills, acknowledged=acknowledged, lost=lost, broken=broken)


# ---------------------------------------------------------------------------------------- cut log
def sample_study(folder: Path) -> Study:
    """An open study with runs, trials and ledgers, whose newest entries are in the write-ahead log only."""
    Study.create(folder, code="stress", title="sample", actor="stress").close()
    study = Study.open(folder, actor="stress")
    for _ in behind.fill(study):
        pass
    return study


def cut_logs(folder: Path, *, cuts: int, seed: int, step: Callable[[], None]) -> CutFigures:
    """Cut the write-ahead log at random bytes: an earlier state must open, and the anchors must reveal it.

    Parameters
    ----------
    folder : for the cases, new.
    cuts : how many.
    seed : of the bytes.
    step : called after each cut.
    """
    chance = random.Random(seed)
    valid = losing = shown = 0
    log = f"{record_file.FILE}-wal"
    with sample_study(folder / "whole") as study:
        head = study.head()[0]
        size = (study.folder / log).stat().st_size
        for number in range(cuts):
            case = folder / str(number)
            case.mkdir()
            for name in (record_file.FILE, log, anchors.FILE):
                shutil.copy(study.folder / name, case / name)
            os.truncate(case / log, chance.randint(0, size))
            with_anchors = verify(case)
            # Without the anchors a shorter chain is a valid chain: that is what the second look must find.
            (case / anchors.FILE).unlink()
            alone = verify(case)
            valid += alone.ok
            losing += alone.head[0] < head
            shown += alone.head[0] < head and not with_anchors.ok
            shutil.rmtree(case)
            step()
    return CutFigures(cuts=cuts, valid=valid, losing=losing, shown=shown)


# ---------------------------------------------------------------------------------------- bit flips
def flip_bits(folder: Path, *, flips: int, seed: int, step: Callable[[], None]) -> FlipFigures:
    """Flip one bit inside a live row, verify, and start again from the intact file.

    Parameters
    ----------
    folder : for the cases, new.
    flips : how many.
    seed : of the bits.
    step : called after each flip.
    """
    chance = random.Random(seed)
    with sample_study(folder / "whole") as study:
        source = study.path
    with closing(sqlite3.connect(source)) as connection:
        # Everything in one file without free pages, so that a flip cannot land in bytes that nobody reads.
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = source.read_bytes()
    places = [at for start, end in live_rows(whole) for at in range(start, end)]
    missed: list[tuple[int, int]] = []
    for number in range(flips):
        case = folder / str(number)
        case.mkdir()
        at, bit = chance.choice(places), chance.randrange(8)
        changed = bytearray(whole)
        changed[at] ^= 1 << bit
        (case / record_file.FILE).write_bytes(changed)
        shutil.copy(source.parent / anchors.FILE, case / anchors.FILE)
        missed += [(at, bit)] if verify(case).ok else []
        shutil.rmtree(case)
        step()
    return FlipFigures(flips=flips, found=flips - len(missed), missed=tuple(missed))


def live_rows(data: bytes) -> list[tuple[int, int]]:
    """``(start, end)`` of every row in the table leaf pages of an SQLite file (sqlite.org/fileformat2.html, 1.6).

    Rows of tables only, without free space, page headers, indexes and overflow pages.
    """
    size = int.from_bytes(data[16:18], "big")
    usable = size - data[20]
    rows = []
    for page in range(0, len(data), size):
        header = page + (100 if page == 0 else 0)
        # 0x0D marks a leaf of a table b-tree.
        if data[header] != 0x0D:
            continue
        for number in range(int.from_bytes(data[header + 3 : header + 5], "big")):
            pointer = header + 8 + 2 * number
            start = page + int.from_bytes(data[pointer : pointer + 2], "big")
            length, at = _varint(data, start)
            _, at = _varint(data, at)
            rows.append((start, at + _local(length, usable)))
    return rows


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(9):
        byte, at = data[at], at + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at


def _local(length: int, usable: int) -> int:
    # How much of a row stays on its page; the rest goes to overflow pages (fileformat2.html, 1.6).
    most, least = usable - 35, (usable - 12) * 32 // 255 - 23
    if length <= most:
        return length
    local = least + (length - least) % (usable - 4)
    return local if local <= most else least


if __name__ == "__main__":  # pragma: no cover - the process that the killed writers come from
    _fork_writers()
