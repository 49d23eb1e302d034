"""How soon each effector begins to obey a STOP, and how soon it makes itself safe when its link is lost.

Each effector of the register is played by a device process of its own, over LSL on this computer, behind the
controller and the link of an engine. *STOP*: from the call with which the engine's door hands a STOP on, made on
a thread of its own while the link goes on ticking, until the time at which the device says that it acted. Just
before each one a text of the size of a signed command goes to a process of raw pylsl and back: that pair says how
much of it is the transport's. *Heartbeat* is the round trip of the link itself just before, through signatures
and the device's rules. *Lost link*: the engine falls silent; from its last command until the device's own signed
status is locked, and until it is safe.

All times are of LSL's clock, which all processes of a computer share, so that no answer's way back counts. Limits
are judged only where the transport itself is quick: what a busy computer does to all alike says nothing about us.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench import control, devices
from workbench.control import ControlLaw, Effector
from workbench.devices import _lsl_library, lsl
from workbench.devices._listening import Listener
from workbench.errors import EngineFault
from workbench.live.latency import percentiles
from workbench.stimulation import ElectrodeLimits, Programme, Setup, Signature, SignedLimits, Wearer
from workbench.stress.kept import Kept
from workbench.stress.strangers import STEP_S, LinkBench
from workbench.vocabulary import DeviceStatus, StreamSpec

STOP_S = 0.020
"""p99 of a STOP, from the engine's receipt until the device begins, s."""
LOST_S = 0.050
"""How long after its time to live, or after the time of its profile, a device may take, s."""
QUIET_S = 0.005
"""Largest p99 of the echo with which limits are judged, s."""
BATCH = 10
"""Cases of an effector before the next one's turn: a change of the computer's load then affects all alike."""
TRIES = 5
"""How often a device is made ready and closed: on a busy computer its link may lapse meanwhile."""
WAIT_S = 20.0
"""After which a device that did not begin, or did not complete its safe state, is a miss, s."""
ECHO_S = 1.0
"""After which an echo counts as lost, s."""
LEAST_S, MOST_S = 0.15, 0.35
"""A STOP and a silence fall anywhere in between: after a heartbeat, in no fixed place between two, s."""
SIZE = 700
"""Characters of an echoed text; a signed command has about as many."""
LISTENER_S = 0.3
"""Within which a closed listener has ended, s."""
HARNESS_KG = 30.0
"""Load on the harness of whoever stands in a stimulator, kg."""
SAY_S = 60.0
"""Time between two lines of progress in a log, s."""

LATCHED = ("ESTOP", "FAULT_SAFE")
"""States that a STOP and a lost link end in."""
MISS = "-"
"""What did not happen, among the times that are kept."""


@dataclass(frozen=True, slots=True)
class StoppingFigures:
    """Times of one effector, s; None is a miss.

    Attributes
    ----------
    effector : its profile.
    stop : from the engine's receipt of a STOP until the device begins.
    echo, beat : round trips of a text by raw pylsl, and of a heartbeat of this link, before each STOP; None where
        none came back within :data:`ECHO_S`.
    begun, done : from the last command until the device's safe state begins, and until it is complete.
    """

    effector: Effector
    stop: tuple[float | None, ...]
    echo: tuple[float | None, ...]
    beat: tuple[float | None, ...]
    begun: tuple[float | None, ...]
    done: tuple[float | None, ...]

    @property
    def begin_s(self) -> float:
        """Longest time from the last command until the safe state begins, s."""
        return self.effector.ttl_ms / 1000.0 + LOST_S

    @property
    def done_s(self) -> float:
        """Longest time from the last command until the safe state is complete, s."""
        last = self.effector.on_fault[-1]
        return self.begin_s + last.after_s + last.ramp_ms / 1000.0

    @property
    def misses(self) -> int:
        """STOPs that no device followed, and silences after which none was safe."""
        return self.stop.count(None) + sum(None in pair for pair in zip(self.begun, self.done, strict=True))

    @property
    def judged(self) -> bool:
        """Whether the transport was quick enough for limits to say something about the link."""
        return _p99(self.echo) <= QUIET_S

    @property
    def late(self) -> tuple[bool, int, int]:
        """Whether STOP's p99 is above its limit; silences whose safe state began, or was complete, too late."""
        begun, done = (
            sum(one is not None and one > most for one in times)
            for times, most in ((self.begun, self.begin_s), (self.done, self.done_s))
        )
        return _p99(self.stop) > STOP_S, begun, done

    @property
    def passed(self) -> bool:
        """Whether there is no miss, and, where it can be judged, nothing came too late."""
        return not self.misses and not (self.judged and any(self.late))

    def text(self) -> str:
        """The figures in two lines."""
        over, begun, done = self.late
        judged = "" if self.judged else ", not judged: the echo is slow"
        most = f"p99 {'above' if over else 'within'} {STOP_S * 1000:g} ms{judged}"
        return (
            f"{self.effector.name}: STOP until the device begins: n {len(self.stop)}, {_shown(self.stop)}, "
            f"{self.stop.count(None)} missed, {most}; echo {_shown(self.echo)}; heartbeat {_shown(self.beat)}\n"
            f"{self.effector.name}: last command until the safe state begins: n {len(self.begun)}, "
            f"{_shown(self.begun)}, {begun} above {self.begin_s * 1000:g} ms{judged}; until it is complete: "
            f"{_shown(self.done)}, {done} above {self.done_s * 1000:g} ms; "
            f"{sum(None in pair for pair in zip(self.begun, self.done, strict=True))} missed"
        )


def _p99(times: Sequence[float | None]) -> float:
    known = [one for one in times if one is not None]
    return float(np.quantile(known, 0.99)) if known else float("inf")


def _shown(times: Sequence[float | None]) -> str:
    """p50, p99 and the longest."""
    found = percentiles(np.array([one for one in times if one is not None], dtype=np.float64))
    if found["max_ms"] is None:
        return "none"
    return f"p50 {found['p50_ms']:.2f} ms, p99 {found['p99_ms']:.2f} ms, max {found['max_ms']:.2f} ms"


def stopping(
    n: int,
    seed: int,
    *,
    names: Sequence[str] = (),
    keep: Path | None = None,
    step: Callable[[int], object] = lambda cases: None,
    told: Callable[[str], object] = lambda text: None,
) -> list[StoppingFigures]:
    """Stop, and lose the link of, each effector ``n`` times.

    Parameters
    ----------
    n : STOPs, and lost links, of each effector.
    seed : of the moments.
    names : of effectors; every one of the register by default.
    keep : file that keeps what was measured, to go on from.
    step : called with the cases that are done.
    told : called with how far it is, a line a minute.

    Raises
    ------
    BadValue
        For a file of another run.
    EngineFault
        When a device does not start, or cannot be closed.
    """
    names = tuple(names or control.available())
    kept = Kept(keep, "stop", {"n": n, "seed": seed, "effectors": ",".join(names)})
    todo = {name: list(kept.left(name, n, BATCH)) for name in names}
    before = sum(int(kept.counts(name).get("cases", 0)) for name in names)
    step(before)
    pace = _Pace(n * len(names) - before, told)
    with _quietly(), tempfile.TemporaryDirectory(prefix="workbench-stop-") as folder, Echo() as echo:
        # In turns, a batch of each effector.
        for turn in range(max((len(batches) for batches in todo.values()), default=0)):
            for name, batches in todo.items():
                if turn < len(batches):
                    first, cases = batches[turn]
                    chance = random.Random(f"{seed} {name} {first}")
                    kept.add(name, cases, _batch(Path(folder), name, cases, chance=chance, echo=echo))
                    step(cases)
                    pace.done(cases, name)
    return [_figures(name, kept.counts(name)) for name in names]


@contextmanager
def _quietly() -> Iterator[None]:
    """Every STOP is a row of a ledger, which a log would tell thousands of times."""
    log, nowhere = logging.getLogger("workbench.engine"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        yield
    finally:
        log.removeHandler(nowhere)


def _figures(name: str, counts: Mapping[str, list[str]]) -> StoppingFigures:
    times = {key: tuple(None if one == MISS else float(one) for one in counts.get(key, ())) for key in KEYS}
    return StoppingFigures(control.load(name), **times)


KEYS = ("stop", "echo", "beat", "begun", "done")


class _Pace:
    """Says how far it is and how long it will take."""

    def __init__(self, total: int, told: Callable[[str], object]) -> None:
        self._total, self._told, self._done = total, told, 0
        self._began = self._said = time.monotonic()

    def done(self, cases: int, name: str) -> None:
        """So many cases more are done."""
        self._done += cases
        now = time.monotonic()
        if now - self._said >= SAY_S:
            self._said = now
            left = (now - self._began) / self._done * (self._total - self._done)
            self._told(f"{self._done} of {self._total} cases, now {name}; about {left / 60.0:.0f} min left")


# ------------------------------------------------------------------------------------------- one device
def _batch(folder: Path, name: str, n: int, *, chance: random.Random, echo: Echo) -> dict[str, list[str]]:
    """Times of ``n`` STOPs and ``n`` lost links of one device process."""
    times: dict[str, list[str]] = {key: [] for key in KEYS}
    with rig(folder, name) as bench:
        for _ in range(n):
            for key, value in {**_stop(bench, chance, echo), **_lose(bench, chance)}.items():
                times[key].append(MISS if value is None else f"{value:.6f}")
    return times


class Rig(LinkBench):
    """Link and controller of one effector, with somebody in the harness where one is needed."""

    def run(self, condition: Callable[[], bool], *, timeout: float = WAIT_S) -> bool:
        """Tick as an engine does until the condition is met; whether it was in time."""

        def met() -> bool:
            if self.link.controller.effector.stimulates:
                self.link.controller.stimulation.take_load(HARNESS_KG, local=lsl.local_clock())
            return condition()

        return super().run(met, timeout=timeout)

    def close_device(self) -> None:
        """Make the device ready, arm, and wait until it says that it is closed.

        Raises
        ------
        EngineFault
            When it does not close in :data:`TRIES` attempts.
        """
        for _ in range(TRIES):
            if not self.self_test() or not self.run(self._allowed):
                continue
            self.arm()
            self.decide("activate")
            # The level that the device confirms: a STOP must hit what has really moved.
            self.run(lambda: self._is_closed() or self.link.state in LATCHED)
            if self._is_closed():
                return
            self.link.estop("the device did not close")
        effector = self.link.controller.effector.name
        raise EngineFault(
            f"the {effector} did not close in {TRIES} attempts, its controller is in {self.link.state}; run this "
            "on a computer that does nothing else"
        )

    def close(self) -> None:
        """End the link and, with it, the device."""
        self.link.channel.stop_listening()
        # An inlet that loses its outlet complains on standard error.
        time.sleep(LISTENER_S)
        super().close()

    def _allowed(self) -> bool:
        """Whether nothing but the operator's own acts is missing."""
        own = ("operator", "participant_ready", "decoder_approved")
        return all(one.ok for one in self.link.controller.conditions() if one.key not in own)

    def _is_closed(self) -> bool:
        level = self.confirmed["level"]
        is_full = level is not None and level >= self.link.controller.effector.level - 1e-6
        return is_full and self.link.state in ("ACTIVE", "HOLD")


@contextmanager
def rig(folder: Path, name: str) -> Iterator[Rig]:
    """The simulated device of an effector in its process, and a link to it; both are ended on the way out.

    Parameters
    ----------
    folder : for its key and its log.
    name : of the effector.

    Raises
    ------
    EngineFault, StreamFault
        When the device does not start.
    """
    paired = devices.pairing(folder, name)
    options: dict[str, object] = {"pairing": str(paired.path), "idle_s": WAIT_S}
    if "loss" in devices.load(f"simulated_{name}").options:
        # What a simulated radio loses is no time of ours.
        options["loss"] = 0.0
    device = devices.start(f"simulated_{name}", options, log=folder / f"{name}.log", owned=True)
    bench: Rig | None = None
    try:
        profile = control.load(name)
        bench = Rig(
            paired, f"stop-{name}", law=ControlLaw(), stimulation=setup_of(name) if profile.stimulates else None
        )
        yield bench
    finally:
        if bench is not None:
            bench.close()
        devices.stop(device)


def _stop(bench: Rig, chance: random.Random, echo: Echo) -> dict[str, float | None]:
    """One STOP of a closed device, with the round trips before it."""
    bench.close_device()
    wait_s = chance.uniform(LEAST_S, MOST_S)
    began, returned = threading.Event(), list[float | None]()
    at = [0.0]

    def press() -> None:
        returned.append(echo.round_trip())
        time.sleep(wait_s)
        # A busy computer may not have brought back the first heartbeat yet, of which the figures tell.
        end = lsl.local_clock() + ECHO_S
        while _heartbeat(bench, lsl.local_clock()) is None and lsl.local_clock() < end:
            time.sleep(0.001)
        at[0] = lsl.local_clock()
        bench.link.estop("measured")
        began.set()

    # On a thread of its own, as at the door of an engine: it may have to wait for the link's lock.
    door = threading.Thread(target=press, name="door", daemon=True)
    door.start()
    bench.run(lambda: began.is_set() and _begun(bench, at[0]) is not None)
    door.join(WAIT_S)
    return {"stop": _begun(bench, at[0]), "echo": returned[0], "beat": _heartbeat(bench, at[0])}


def _begun(bench: Rig, since: float) -> float | None:
    """Time in s from ``since`` until the device acted on a STOP; None while it has not said so."""
    acted = (ack.effective for _, ack in list(bench.answered) if ack.code == "vented" and ack.effective >= since)
    return next((when - since for when in acted), None)


def _heartbeat(bench: Rig, before: float) -> float | None:
    """Round trip of the last heartbeat that was answered before a time, s."""
    left = {command.seq: at for at, command in list(bench.sent) if command.action == "heartbeat" and at < before}
    answered = [
        (at, ack.seq) for at, ack in list(bench.answered) if ack.seq in left and left[ack.seq] <= at < before
    ]
    return answered[-1][0] - left[answered[-1][1]] if answered else None


def _lose(bench: Rig, chance: random.Random) -> dict[str, float | None]:
    """One silence of the engine with the device closed."""
    bench.close_device()
    closed = len(bench.seen)
    until = time.monotonic() + chance.uniform(LEAST_S, MOST_S)
    bench.run(lambda: time.monotonic() >= until)
    # From here nothing leaves but what the device's own statuses cause, and it is locked before they come.
    pause, end = threading.Event(), time.monotonic() + WAIT_S

    def first(fits: Callable[[DeviceStatus], bool]) -> float | None:
        return next((one.stamp for one in bench.seen[closed:] if fits(one)), None)

    while first(lambda one: one.locked and one.is_safe) is None and time.monotonic() < end:
        pause.wait(STEP_S)
    bench.run(lambda: bench.link.state in LATCHED)
    # On a busy computer the silence began before: what came to a locked device was no valid command.
    taken = {ack.seq for _, ack in bench.answered if ack.status != "refused"}
    last = max(at for at, command in bench.sent if command.seq in taken)
    times = {"begun": first(lambda one: one.locked), "done": first(lambda one: one.locked and one.is_safe)}
    return {key: None if at is None else at - last for key, at in times.items()}


# ---------------------------------------------------------------------------------------------- limits
WIDE: Mapping[str, float] = {
    "current_ma": 200.0, "width_us": 2000.0, "rate_hz": 200.0, "charge_uc": 200.0, "rms_ma_cm2": 2.0,
    "pulses_per_s": 1000.0, "net_dc_na": 100.0, "slew_ma_s": 1e6, "ceiling_step_ma": 1.0,
    "ceiling_rise_per_s": 0.1, "duty": 1.0, "burst_s": 1e4, "refractory_s": 0.0, "dose_session_uc": 1e9,
    "dose_day_uc": 1e9, "impedance_most_ohm": 1e5, "impedance_least_ohm": 0.0, "impedance_change": 0.3,
    "compliance_v": 500.0, "watchdog_s": 0.25, "delivery_tolerance": 0.1,
}  # fmt: skip
"""Limits that a simulated stimulator keeps in a measurement of times: none is to speak before the STOP."""


def setup_of(name: str) -> Setup:
    """For the supervisor of a simulated stimulator: its own programme, signed wide limits, nobody at risk.

    Parameters
    ----------
    name : of the effector.
    """
    programme: Programme = importlib.import_module(f"workbench.devices.simulated_{name}").PROGRAMME
    stamp, limits = "2026-11-26T08:00:00Z", []
    for model in sorted({channel.electrode for channel in programme.channels}):
        contacts = 1 + max(max(one.contacts) for one in programme.channels if one.electrode == model)
        wide = ElectrodeLimits(model, 1, f"{model}, simulated, wide", "surface", contacts, 100.0, WIDE)
        signed = (
            Signature("one", "investigator", stamp, wide.sha256),
            Signature("two", "engineer", stamp, wide.sha256),
        )
        limits.append(SignedLimits(wide, signed))
    return Setup(programme, tuple(limits), Wearer("L1"))


# ------------------------------------------------------------------------------------------------ echo
class Echo:
    """A process of raw pylsl that sends every text back; how long one takes there and back."""

    def __init__(self) -> None:
        lsl.configure()
        source = f"stop-echo-{os.getpid()}"
        self._outlet = lsl.Outlet(StreamSpec(source, "Echo", 0.0, source_id=source, role="markers"))
        self._returned: dict[str, float] = {}
        self._listener = Listener([f"{source}-back"], self._receive)
        command = [sys.executable, "-m", "workbench.stress.stopping", source]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._sent = 0

    def __enter__(self) -> Echo:
        """Wait until it answers.

        Raises
        ------
        EngineFault
            When it does not.
        """
        end = time.monotonic() + WAIT_S
        while self.round_trip() is None:
            if time.monotonic() > end or self._process.poll() is not None:
                self.__exit__()
                raise EngineFault(f"the process that echoes texts did not answer within {WAIT_S:g} s; try again")
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._listener.close()
        time.sleep(LISTENER_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(WAIT_S)
        self._outlet.close()

    def _receive(self, _uid: str, text: str) -> None:
        self._returned[text] = lsl.local_clock()

    def round_trip(self) -> float | None:
        """Time of one text there and back, s; None where it did not come back within :data:`ECHO_S` s."""
        self._sent += 1
        text = f"{self._sent} ".ljust(SIZE, "x")
        at = lsl.local_clock()
        self._outlet.push_text(text, at)
        end = at + ECHO_S
        while (back := self._returned.pop(text, None)) is None and lsl.local_clock() < end:
            time.sleep(0.001)
        return None if back is None else back - at


def main(source: str) -> None:
    """Send back every text of a stream, by raw pylsl, until the standard input ends.

    Parameters
    ----------
    source : source id of the stream.
    """
    pylsl = _lsl_library.library()
    back = lsl.Outlet(StreamSpec(f"{source}-back", "Echo", 0.0, source_id=f"{source}-back", role="markers"))

    def listen() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("source_id", source, 1, WAIT_S)[0], processing_flags=0)
    while True:
        text, _ = inlet.pull_sample(1.0)
        if text:
            back.push_text(text[0], lsl.local_clock())


if __name__ == "__main__":
    main(sys.argv[1])
