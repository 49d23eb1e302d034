"""A simulated presenter: a screen of exact frames that shows a run's schedule and sends a marker for each change.

It does what any presenter does (``docs/presenters.md``): the engine's cue stream says that a run began, with the
schedule; it shows each cue at a frame; its marker bears the stamp of that frame; and when a decision of the
trial came, it ends the trial with ``rest`` and goes on to the next. Markers are sent a little before their frame,
which a simulated screen knows exactly: the stamp says when the light changes. While the run is paused the
screen is dark; a choice that was open is excluded, and the next one follows after a rest.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Mapping
from typing import Any

from workbench import world
from workbench.devices._base import Device
from workbench.devices._playing import play, ready
from workbench.devices.simulated_participant import CueReader
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import StreamSpec

DEVICE = Device(
    "A simulated screen that presents flicker and flashes at exact frames and sends a marker for each change.",
    options={
        "source_id": "source_id of the marker stream; required",
        "name": "stream name (wb-presenter)",
        "cue_source_id": "source_id of the engine's cue stream, which says when a run begins; required",
        "decision_source_id": "source_id of the engine's decisions, which end a trial early; none = never early",
        "refresh_hz": "frames a second (60)",
        "lead_s": "how long before its frame a marker is sent, s by the clock (0.1)",
        "seed": "not used: what is shown follows the run's own seed",
    },
    player=True,
    simulated=True,
)

REST, LOOK, CHOSEN = "rest", "look:", "cued"
PAUSED = "disturbed: paused"
RESUME_S = 2.0
"""Rest before the next choice when a run is resumed, s of stream time."""
CONNECT_S = 10.0
"""How long to wait for the engine's streams before saying that one is ready, s."""


def spec(options: Mapping[str, Any]) -> StreamSpec:
    """The line of the stream contract that a presenter with these options fulfils.

    Raises
    ------
    BadValue
        Without a source_id.
    """
    if not options.get("source_id"):
        raise BadValue(Message("device.needs_source_id", device="simulated_presenter"))
    name = str(options.get("name", "wb-presenter"))
    return StreamSpec(name, "Markers", 0.0, unit="", source_id=str(options["source_id"]), role="markers")


class Presentation:
    """One run on a screen: which cue comes next, and at which frame.

    Parameters
    ----------
    schedule : ``(at_s, label, duration_s, trial)`` of each cue, from the run's first sample.
    begins : stream time of that sample, s.
    refresh_hz : frames a second of stream time; frame 0 is at ``begins``.
    """

    def __init__(self, schedule: list[list[Any]], *, begins: float, refresh_hz: float) -> None:
        self._cues, self._begins, self._refresh_hz = [tuple(cue) for cue in schedule], begins, refresh_hz
        self._next, self._delay_s, self._latest = 0, 0.0, begins
        self._over: set[int] = set()
        self._paused = False

    def take(self, until: float) -> list[tuple[float, dict[str, Any]]]:
        """Stamp and marker of each cue whose frame lies before stream time ``until`` in s."""
        shown: list[tuple[float, dict[str, Any]]] = []
        while self._next < len(self._cues) and not self._paused:
            at_s, label, duration_s, trial = self._cues[self._next]
            if trial in self._over and label != REST:
                # The trial was decided: everything after it moves forward by what is left out.
                self._next += 1
                self._delay_s -= duration_s
                continue
            frame = math.ceil((at_s + self._delay_s) * self._refresh_hz - 1e-6)
            stamp = self._begins + frame / self._refresh_hz
            if stamp >= until:
                break
            frames = round(duration_s * self._refresh_hz)
            detail = {"refresh_hz": self._refresh_hz, "frame": frame, "frames": frames, "error_ms": 0.0}
            shown.append((stamp, {"label": label, "duration_s": duration_s, "trial": trial, **detail}))
            self._next, self._latest = self._next + 1, stamp
        return shown

    def pause(self, *, now: float) -> list[tuple[float, dict[str, Any]]]:
        """The screen goes dark at stream time ``now`` in s; stamp and marker of what is thereby ended."""
        self._paused = True
        cue = self._cues[self._next - 1] if self._next else None
        if cue is None or cue[1] == REST or cue[1].startswith(LOOK):
            return []
        # After the newest cue, which was sent ahead: before it there is no choice that could be excluded.
        stamp = max(now, self._latest + 1.0 / self._refresh_hz)
        labels = (REST,) if cue[3] in self._over else (PAUSED, REST)
        return [(stamp, {"label": label, "trial": cue[3]}) for label in labels]

    def resume(self, *, now: float) -> None:
        """Continue at stream time ``now`` in s with the next choice that has not begun, after a rest."""
        if not self._paused:
            return
        self._paused = False
        last = self._cues[self._next - 1] if self._next else None
        if last is not None and last[1].startswith(LOOK):
            self._next -= 1
        else:
            # What is left of a choice that had begun is not shown; a rest before the first choice is not repeated.
            begun = -1 if last is None else last[3]
            while self._next < len(self._cues) and self._cues[self._next][3] <= begun:
                self._next += 1
        if self._next < len(self._cues):
            self._delay_s = now + RESUME_S - self._begins - self._cues[self._next][0]

    def end_trial(self, trial: int, *, now: float) -> None:
        """A decision of a trial came at stream time ``now`` in s: what is left of the trial is not shown."""
        if trial in self._over:
            return
        self._over.add(trial)
        before = self._cues[self._next - 1] if self._next else None
        # What is on the screen is ended now, where its own end lies later still.
        if before is not None and before[3] == trial and before[1] != REST:
            left = self._begins + before[0] + self._delay_s + before[2] - now
            # A marker that was sent ahead stays true: its cue is shown for a frame at least.
            self._delay_s -= max(0.0, min(left, before[2] - 1.0 / self._refresh_hz))


class Player:
    """One presenter in this process: hears runs and decisions, sends markers."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        """Announce the stream."""
        from workbench.devices import lsl

        self.stop, self.clock, self.spec = stop, lsl.local_clock, spec(options)
        self.refresh_hz = _positive(options, "refresh_hz", 60.0)
        self.lead_s = _positive(options, "lead_s", 0.1)
        if not options.get("cue_source_id"):
            raise BadValue(Message("presenter.needs_cue_source"))
        self.outlet = lsl.Outlet(self.spec, desc={"simulated": True, "device": "simulated_presenter"})
        self._runs = CueReader(str(options["cue_source_id"]), stop)
        source = str(options.get("decision_source_id", ""))
        self._decisions = CueReader(source, stop) if source else None
        self._shown: Presentation | None = None
        self._time = (0.0, 1.0)

    def run(self) -> None:
        """Present until stopped."""
        while not self.stop.is_set():
            t0, speed = self._time
            now = t0 + (self.clock() - t0) * speed
            self._hear(now)
            if self._shown is not None:
                self._send(self._shown.take(now + self.lead_s * speed))
            self.stop.wait(0.004)
        self._runs.join()
        if self._decisions is not None:
            self._decisions.join()
        self.outlet.close()

    def _send(self, shown: list[tuple[float, dict[str, Any]]]) -> None:
        for stamp, marker in shown:
            self.outlet.push_text(json.dumps({**marker, "stamp": stamp}), stamp)

    def _hear(self, now: float) -> None:
        """What the engine said: a run begins, pauses, resumes or ends, a trial was decided."""
        for said in self._runs.take():
            if said.get("kind") == "run" and said.get("schedule"):
                self._time = (float(said["t0"]), float(said["speed"]))
                self._shown = Presentation(
                    said["schedule"], begins=said["stamp"] + 0.5, refresh_hz=self.refresh_hz
                )
            elif said.get("kind") in ("end", "stop"):
                self._shown = None
            elif self._shown is not None and said.get("kind") == "pause":
                self._send(self._shown.pause(now=now))
            elif self._shown is not None and said.get("kind") == "resume":
                self._shown.resume(now=now)
        for decision in self._decisions.take() if self._decisions is not None else ():
            if self._shown is not None and decision.get("change") == CHOSEN:
                self._shown.end_trial(int(decision["trial"]), now=now)


def _positive(options: Mapping[str, Any], name: str, usual: float) -> float:
    value = float(options.get(name, usual))
    if not (math.isfinite(value) and value > 0):
        raise BadValue(
            Message("device.above_0", name=name, got=str(value), usual=f"{usual:g}", device="simulated_presenter")
        )
    return value


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = Player(options, stop)
    ready([player.spec], t0=world.clock.monotonic())
    player.run()


if __name__ == "__main__":
    sys.exit(play("simulated_presenter", DEVICE, _body))
