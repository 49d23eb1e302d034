"""Conformance of an effector: its process is started, paired, and tested fact by fact.

The other side is an engine under control of the test, so that every message can be held back, repeated or
corrupted. A fact that cannot be tested, because something it needs does not work, counts as not held. Run it with
nobody in the effector.
"""

from __future__ import annotations

import math
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from workbench import control, devices
from workbench.conformance._engine_side import Bench, NotTried, Seen, Sent, plain, signed_with
from workbench.conformance.certificate import Certificate, Check, made
from workbench.control import Effector
from workbench.devices import lsl
from workbench.errors import BadValue, Refused, StreamFault

WATCH_S = 0.3
"""How long the device is watched after a message that it must not follow, s."""
ATTACKS = 3
"""How often such a message is sent in that time: what a device follows lasts until the next heartbeat, and that
may come before a status does."""
FRESH, REPLAYS = 3, 12
"""How many young orders are played back, and how many orders at most."""
WATCHER_S = 2.0
"""What a process needs to find the device and to be found, s."""
ROUNDING = 0.05
"""Difference between acknowledged and reported level that is none, fraction."""
TOO_HIGH = 1.5
"""A level above every limit, fraction."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed, s.

    Attributes
    ----------
    status_s : mean time between two statuses.
    round_trip_s : for a command of the self-test.
    acknowledged_s : for every order.
    lapse_s : from the last command to a status that says that the link is lost.
    safe_s : from the last command to the end of the safe state.
    stop_s : from a STOP to level 0.
    """

    status_s: float
    round_trip_s: float
    acknowledged_s: float
    lapse_s: float
    safe_s: float
    stop_s: float


def limits_of(effector: Effector) -> Limits:
    """The limits that the profile of an effector sets."""
    ttl_s, last = effector.ttl_ms / 1000.0, effector.on_fault[-1]
    status_s = ttl_s / 5.0
    return Limits(
        status_s=status_s,
        round_trip_s=ttl_s / 2.0,
        acknowledged_s=effector.ack_timeout_s,
        lapse_s=ttl_s + 2.0 * status_s,
        safe_s=ttl_s + last.after_s + last.ramp_ms / 1000.0 + 2.0 * status_s,
        stop_s=1.0,
    )


Found = dict[str, tuple[str, bool]]
"""Key of a fact → what was measured, and whether it holds."""
Trial = Callable[[Bench, Limits], Found]


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence that has to hold, and what is allowed, with places for :class:`Limits`."""

    sentence: str
    allowed: str


# ------------------------------------------------------------------------------------------- at rest
def _rest(bench: Bench, limits: Limits) -> Found:
    """Statuses and acknowledgements of a device in normal operation."""
    worst = bench.self_test()
    engine = bench.engine
    before = len(engine.sent)
    seen = bench.watched(max(1.0, 4 * limits.status_s))
    counters = [status.body.get("counter") for status in (seen[0], seen[-1])]
    first, last = counters
    n = last - first if isinstance(first, int) and isinstance(last, int) else len(seen) - 1
    mean_s = (seen[-1].at - seen[0].at) / max(n, 1)
    bench.wait(lambda: all(order.answer for order in list(engine.sent.values())[before:-1]), limits.acknowledged_s)
    beats = list(engine.sent.values())[before:-1]
    missing = sum(order.answer is None for order in beats)
    slowest = max((order.took_s for order in beats if order.answer), default=math.inf)
    return {
        "round_trip": (_ms(worst), worst <= limits.round_trip_s),
        "statuses": (f"every {_ms(mean_s)}", len(seen) > 1 and mean_s <= limits.status_s),
        "acknowledged": (
            f"{len(beats) - missing} of {len(beats)}, slowest {_ms(slowest)}",
            missing < bench.profile.missed_limit and slowest <= limits.acknowledged_s,
        ),
    }


def _levels(bench: Bench, limits: Limits) -> Found:
    """Levels that are too high, and what is said of those that are not."""
    bench.self_test()
    wait_s = limits.acknowledged_s
    ordered = bench.acknowledged(bench.engine.order("close", 0.6), wait_s)
    bench.engine.beating = 0.6
    shown = bench.watched(2 * limits.status_s)[-1].level
    said = f"ordered 0.60, acknowledged {ordered.status} {ordered.applied:.2f}, status {shown:.2f}"
    less = ordered.applied < 0.6 - ROUNDING
    honest = abs(ordered.applied - shown) <= ROUNDING and shown <= 0.6 + ROUNDING
    high = bench.engine.order("close", TOO_HIGH)
    bench.wait(lambda: high.answer is not None, wait_s)
    highest = max(status.level for status in bench.watched(2 * limits.status_s))
    bench.acknowledged(bench.engine.order("open"), wait_s)
    return {
        "applied": (said, honest and (ordered.status == "clipped") == less),
        "clipped": (
            f"acknowledged {high.status or 'not at all'} {high.applied:.2f}, highest status {highest:.2f}",
            high.status == "clipped" and high.applied <= 1.0 and highest <= 1.0,
        ),
    }


# ----------------------------------------------------------------------------------------- strangers
def _unmoved(bench: Bench, *texts: str) -> tuple[str, bool]:
    """Whether messages that must not be followed changed nothing in a device that is ready and open."""
    n = len(bench.engine.statuses)
    for _ in range(ATTACKS):
        bench.attack(*texts)
        bench.pause(WATCH_S / ATTACKS)
    seen = bench.engine.statuses[n:] or bench.watched(WATCH_S)
    highest = max(status.level for status in seen)
    stopped = any(status.body.get("state") == "stopped" for status in seen)
    if highest == 0 and not stopped and any(status.locked for status in seen):
        raise NotTried("the device locked itself meanwhile, and a locked device follows no order at all")
    return f"level {highest:.2f}, {'stopped' if stopped else 'not stopped'}", highest == 0 and not stopped


def _spoiled(bench: Bench, spoil: Callable[[Sent], str]) -> tuple[str, bool]:
    bench.self_test()
    engine = bench.engine
    return _unmoved(bench, spoil(engine.make("close", 1.0)), spoil(engine.make("stop")))


def _unsigned(bench: Bench, limits: Limits) -> Found:
    return {"unsigned": _spoiled(bench, plain)}


def _forged(bench: Bench, limits: Limits) -> Found:
    return {"forged": _spoiled(bench, lambda order: signed_with(order.texts[0], bytes(32)))}


def _tampered(bench: Bench, limits: Limits) -> Found:
    bench.self_test()
    text = bench.engine.make("heartbeat").texts[0]
    closed = text.replace('"action":"heartbeat"', '"action":"close"').replace('"level":[0.0', '"level":[1.0')
    return {"tampered": _unmoved(bench, closed, text.replace('"action":"heartbeat"', '"action":"stop"'))}


def _old_session(bench: Bench, limits: Limits) -> Found:
    bench.self_test()
    old = [*bench.engine.make("close", 1.0).texts, *bench.engine.make("stop").texts]
    bench.self_test()
    return {"old_session": _unmoved(bench, *old)}


def _replayed(bench: Bench, limits: Limits) -> Found:
    """Orders played back, some of them too young to be refused for their age if the device opens in time."""
    fresh, young_s = 0, bench.profile.ttl_ms / 1000.0 / 2.0
    for _ in range(REPLAYS):
        order = bench.closed()
        bench.engine.beating = 0.0
        bench.acknowledged(bench.engine.order("open"), limits.acknowledged_s)
        if not bench.wait(lambda: bench.engine.statuses[-1].level == 0, limits.safe_s):
            raise NotTried("the level did not become 0 after open")
        fresh += lsl.local_clock() - order.at < young_s
        found = _unmoved(bench, *order.texts)
        if not found[1] or fresh == FRESH:
            break
    return {"replayed": found}


def _delayed(bench: Bench, limits: Limits) -> Found:
    """An order whose echo names an old status and that is correct otherwise."""
    bench.self_test()
    engine = bench.engine
    counter = engine.end.counter
    bench.pause(2.0 * bench.profile.ttl_ms / 1000.0)
    newest, engine.end.counter = engine.end.counter, counter
    order = engine.make("close", 1.0)
    engine.end.counter = newest
    engine.send(order)
    highest = max(status.level for status in bench.watched(WATCH_S))
    code = "" if order.answer is None else str(order.answer.get("code"))
    return {
        "delayed": (
            f"{order.status or 'no answer'} {code}, level {highest:.2f}",
            highest == 0 and code == "expired",
        )
    }


# ------------------------------------------------------------------------------------------ safe state
def _lapse(bench: Bench, limits: Limits) -> Found:
    """The engine falls silent with the effector closed."""
    bench.closed()
    engine = bench.engine
    engine.beating = None
    silent_from = max(order.at for order in engine.sent.values())
    lapsed, safe = _safe_after(bench, silent_from, limits)
    found = _safety("lapse", "safe_state", lapsed, safe, limits)
    if safe is None:
        return found
    order = engine.order("close", 1.0)
    highest = max(status.level for status in bench.watched(WATCH_S))
    stop = engine.order("stop")
    bench.wait(lambda: stop.answer is not None, limits.acknowledged_s)
    found["locked"] = (
        f"close {_said(order)}, level {highest:.2f}; stop {_said(stop)}",
        highest == 0 and order.status == "refused" and stop.status == "ok",
    )
    try:
        bench.closed()
        found["self_test"] = ("followed again", True)
    except NotTried as why:
        found["self_test"] = (str(why), False)
    return found


def _settled(statuses: Sequence[Seen]) -> bool:
    """Whether the level is the same in each of several."""
    levels = [status.level for status in statuses]
    return max(levels) - min(levels) <= ROUNDING


def _safe_after(bench: Bench, since: float, limits: Limits) -> tuple[float | None, float | None]:
    """Times in s from ``since`` to a status that is locked, and to the end of the safe state; None for never."""
    n = len(bench.engine.statuses)
    to_zero = not (bench.profile.on_fault[-1].keep_level or bench.profile.on_fault[-1].action == "hold")

    def ended(status: Seen) -> bool:
        return status.locked and (status.is_safe or not to_zero)

    bench.wait(lambda: any(map(ended, bench.engine.statuses[n:])), limits.safe_s + 2.0 * limits.lapse_s)
    new = bench.engine.statuses[n:]
    lapsed = next((status.at - since for status in new if status.locked), None)
    safe = next((status.at - since for status in new if ended(status)), None)
    return lapsed, safe


def _safety(lapse: str, safe_state: str, lapsed: float | None, safe: float | None, limits: Limits) -> Found:
    return {
        lapse: (_after(lapsed), lapsed is not None and lapsed <= limits.lapse_s),
        safe_state: (_after(safe), safe is not None and safe <= limits.safe_s),
    }


def _stop(bench: Bench, limits: Limits) -> Found:
    """A STOP whose number, sequence and echo are old, and an order behind it."""
    bench.self_test()
    engine = bench.engine
    stop = engine.make("stop", seq=1)
    bench.acknowledged(engine.order("close", 0.8), limits.acknowledged_s)
    engine.beating = 0.8
    if not bench.wait(lambda: engine.statuses[-1].level > 0, limits.acknowledged_s):
        raise NotTried("close was acknowledged, and the status shows no level")
    n = len(engine.statuses)
    engine.send(stop)
    bench.wait(lambda: any(s.stopped and s.locked for s in engine.statuses[n:]), limits.stop_s)
    took = next((s.at - stop.at for s in engine.statuses[n:] if s.stopped and s.locked), None)
    order = engine.order("close", 1.0)
    highest = max(status.level for status in bench.watched(WATCH_S)) if took is not None else math.inf
    return {
        "stop": (_after(took), took is not None and took <= limits.stop_s),
        "after_stop": (
            f"close {_said(order)}, level {highest:.2f}",
            order.status == "refused" and highest == 0,
        ),
    }


def _watcher(bench: Bench, limits: Limits) -> Found:
    """A process that has only the key, as ``workbench stop`` has, while there is no engine."""
    bench.closed()
    bench.engine.beating = None
    began, patience_s = lsl.local_clock(), limits.stop_s + WATCHER_S
    try:
        devices.watch_status(bench.paired, timeout=patience_s, until=lambda status: True)
        reported = lsl.local_clock() - began
        stopped = devices.stop_device(bench.paired, "test of conformance", timeout=patience_s)
    except StreamFault as fault:
        return {"watcher": (str(fault).split(";")[0], False)}
    return {
        "watcher": (
            f"report {_after(reported)}, {stopped.state} {_after(lsl.local_clock() - began - reported)}",
            stopped.state == "stopped" and stopped.level == 0,
        )
    }


def _suspended(bench: Bench, limits: Limits) -> Found:
    """The process is suspended with the effector closed while the engine keeps sending heartbeats, and resumes."""
    bench.closed()
    # What still moves when it is suspended is seen to have risen when it wakes, and was not ordered to meanwhile.
    if not bench.wait(lambda: _settled(bench.engine.statuses[-3:]), limits.safe_s + limits.lapse_s):
        raise NotTried("the level in the status does not settle")
    bench.signal(signal.SIGSTOP)
    bench.pause(bench.profile.ttl_ms / 1000.0 + 0.5)
    n = len(bench.engine.statuses)
    level = bench.engine.statuses[-1].level
    since = lsl.local_clock()
    bench.signal(signal.SIGCONT)
    lapsed, safe = _safe_after(bench, since, limits)
    rose = max((status.level for status in bench.engine.statuses[n:]), default=0.0) > level + ROUNDING
    found = _safety("woken", "woken_safe", lapsed, safe, limits)
    return {
        key: (f"{text}{', level rose' if rose else ''}", held and not rose) for key, (text, held) in found.items()
    }


# ----------------------------------------------------------------------------------------- two engines
def _two_engines(bench: Bench, limits: Limits) -> Found:
    """A second engine with the key: at rest it takes over, and the first one is ignored from then on."""
    bench.self_test()
    second = bench.join()
    try:
        _take_over(bench, limits)
        order = bench.engine.order("close", 1.0)
        highest = _highest(bench)
        bench.acknowledged(second.order("close", 0.5), limits.acknowledged_s)
        return {"newest_engine": (f"of the first: {_said(order)}, level {highest:.2f}", highest == 0)}
    finally:
        bench.leave(second)


def _closed_takeover(bench: Bench, limits: Limits) -> Found:
    """A second engine while the effector is closed: the safe state comes first, whatever both order."""
    bench.closed()
    second = bench.join()
    try:
        since = _take_over(bench, limits)
        order = second.order("close", 1.0)
        n = len(second.statuses)
        bench.wait(
            lambda: any(status.level == 0 for status in second.statuses[n:]), limits.safe_s + limits.lapse_s
        )
        opened = next((status.at - since for status in second.statuses[n:] if status.level == 0), None)
        return {
            "takeover": (
                f"close {_said(order)}, level 0 {_after(opened)}",
                order.status == "refused" and opened is not None and opened <= limits.safe_s,
            )
        }
    finally:
        bench.leave(second)


def _take_over(bench: Bench, limits: Limits) -> float:
    """The second engine agrees on a key and sends its first message under it; when, s."""
    second = bench.engines[-1]
    if not bench.wait(lambda: second.end.has_offer, limits.acknowledged_s + 5.0):
        raise NotTried("the second engine heard no status")
    bench.agree(second)
    first = second.order("heartbeat", 0.0)
    second.beating = 0.0
    bench.wait(lambda: first.answer is not None, limits.acknowledged_s)
    return first.at


def _highest(bench: Bench) -> float:
    """Highest level in the statuses of the next moments, as the newest engine sees them."""
    second = bench.engines[-1]
    n = len(second.statuses)
    bench.pause(WATCH_S)
    return max((status.level for status in second.statuses[n:]), default=math.inf)


# ------------------------------------------------------------------------------------------- the whole
TRIALS: tuple[tuple[Trial, Mapping[str, Fact]], ...] = (
    (_rest, {
        "round_trip": Fact("A command of the self-test is acknowledged in time", "{round_trip_s}"),
        "statuses": Fact("Signed statuses come five times a time to live", "every {status_s}"),
        "acknowledged": Fact("Every command is acknowledged in time", "under {missed} missing, {acknowledged_s}"),
    }),
    (_levels, {
        "applied": Fact("The acknowledged level is the one that the status shows", "equal within 0.05"),
        "clipped": Fact("A level above the limit is clipped and reported as clipped", "clipped, at most 1.00"),
    }),
    (_unsigned, {"unsigned": Fact("An unsigned order or stop is not followed", "level 0.00, not stopped")}),
    (_forged, {"forged": Fact("An order or stop under another key is not followed", "level 0.00, not stopped")}),
    (_tampered, {"tampered": Fact("An order changed on the way is not followed", "level 0.00, not stopped")}),
    (_old_session, {
        "old_session": Fact("An order or stop of an earlier session is not followed", "level 0.00, not stopped"),
    }),
    (_replayed, {"replayed": Fact("An order that is played back is not followed", "level 0.00, not stopped")}),
    (_delayed, {
        "delayed": Fact("An order that echoes a status older than a time to live is refused", "expired, level 0"),
    }),
    (_lapse, {
        "lapse": Fact("Silence is noticed after the time to live", "{lapse_s}"),
        "safe_state": Fact("The safe state is complete by itself after silence", "{safe_s}"),
        "locked": Fact("After that only a stop is followed", "refused, level 0.00; ok"),
        "self_test": Fact("A new self-test ends the lock", "followed again"),
    }),
    (_stop, {
        "stop": Fact("A STOP with an old number, sequence and echo is followed", "{stop_s}"),
        "after_stop": Fact("After a STOP nothing else is followed", "refused, level 0.00"),
    }),
    (_watcher, {
        "watcher": Fact("A process with the key alone gets a report, and its STOP is followed", "stopped"),
    }),
    (_suspended, {
        "woken": Fact("A process that stood still notices it when it wakes", "{lapse_s}"),
        "woken_safe": Fact("It completes the safe state whatever was sent meanwhile", "{safe_s}"),
    }),
    (_two_engines, {
        "newest_engine": Fact("Of two engines only the one with the newest session is followed", "level 0.00"),
    }),
    (_closed_takeover, {
        "takeover": Fact("A second engine finds a closed effector locked until it is safe", "refused, {safe_s}"),
    }),
)  # fmt: skip
"""What is tried, in order, and the facts that it shows."""

TRIES = 3
"""How often a trial begins that cannot be tried: on a busy computer the link lapses between its steps, and the
device is rightly locked. What was tried is judged the first time."""

FACTS: Mapping[str, Fact] = {key: fact for _, facts in TRIALS for key, fact in facts.items()}


def examine(bench: Bench, limits: Limits, *, only: Sequence[str] = ()) -> list[Check]:
    """Test a device that runs.

    Parameters
    ----------
    bench : with the device.
    limits : what is allowed.
    only : keys of the facts to test; all by default.

    Raises
    ------
    BadValue
        For a key that is none.
    """
    for key in only:
        if key not in FACTS:
            raise BadValue(f"there is no fact {key!r}; they are {', '.join(FACTS)}")
    texts = {name: _ms(value) for name, value in asdict(limits).items()}
    checks = []
    for trial, facts in TRIALS:
        if only and not set(only) & set(facts):
            continue
        found, why = _tried(trial, bench, limits)
        for key, fact in facts.items():
            measured, held = found.get(key, (f"not tried: {why or 'what comes before it does not hold'}", False))
            allowed = fact.allowed.format(missed=bench.profile.missed_limit, **texts)
            checks.append(Check(key, fact.sentence, measured, allowed, held))
    return [check for check in checks if not only or check.key in only]


def _tried(trial: Callable[[Bench, Limits], Found], bench: Bench, limits: Limits) -> tuple[Found, str]:
    """What a test found; nothing, and why, where it could not be carried out in :data:`TRIES` attempts."""
    why = ""
    for _ in range(TRIES):
        try:
            bench.begin_try()
            found = trial(bench, limits)
            bench.check_pace()
            return found, ""
        except NotTried as error:
            why = str(error)
    return {}, why


def conform_effector(
    command: Sequence[str], *, effector: str = "glove", limits: Limits | None = None
) -> Certificate:
    """Start a device, test it, and end it.

    Parameters
    ----------
    command : that starts it; ``{key}`` becomes the path of its key file.
    effector : name of its profile.
    limits : what is allowed; by default :func:`limits_of` the profile.

    Raises
    ------
    BadValue
        For an empty command, and for a program that is not there.
    UnknownName
        For an effector without a profile.
    EngineFault, StreamFault
        When the device ends at once, or says nothing signed: nothing was tested.
    Refused
        On Windows, which cannot suspend a process.
    """
    if sys.platform == "win32":
        raise Refused("an effector is tested on Linux or macOS, which can suspend its process; use one of them")
    profile = control.load(effector)
    check_command(command)
    limits = limits or limits_of(profile)
    with Bench(command, profile) as bench:
        checks = examine(bench, limits)
        driver = next((str(status.body.get("driver", "")) for status in bench.engine.statuses), "")
    about = {"effector": effector, "time to live": f"{profile.ttl_ms} ms"} | ({"driver": driver} if driver else {})
    return made("effector", shlex.join(command), checks=checks, about=about, command=command)


def check_command(command: Sequence[str]) -> None:
    """Check that a device can be started, before anything else is.

    Raises
    ------
    BadValue
        When it is no program of this computer.
    """
    program = command[0] if command else ""
    if not program.strip() or len(program) > 4096 or "\0" in program or shutil.which(program) is None:
        raise BadValue(
            f"the device is started by a program of this computer, got {program!r:.80}, which is none; write "
            "'workbench conform effector -- PROGRAM ARGUMENT …'"
        )


def _ms(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "never"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"after {_ms(seconds)}"


def _said(order: Sent) -> str:
    if order.answer is None:
        return "not acknowledged"
    code = str(order.answer.get("code") or "")
    return f"{order.status} ({code})" if code else order.status
