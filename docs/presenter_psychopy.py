"""A presenter for PsychoPy: selection by flicker and a speller, as docs/presenters.md describes it.

    python presenter_psychopy.py SESSION_ID [--source-id ID] [--name NAME] [--photodiode]
        [--refresh-hz HZ] [--no-window]

Needs psychopy and pylsl in an environment of its own, and nothing of the workbench. It shows the schedule that the
engine publishes when a run begins, sends a marker for each change of the light, counts frames and reports dropped
ones, ends a choice when its decision comes, frames what was selected, and goes dark while the run is paused and
when it ends. Escape closes it.

With ``--no-window`` it needs pylsl alone: the same schedule, its frames timed by the clock, and nothing to be
seen. It is an example: measure the delay of your screen with a photodiode (``workbench conform presenter``) and
give it as ``--delay-ms`` before you use it with a participant.
"""

import argparse
import json
import math
import sys
import time

from pylsl import StreamInfo, StreamInlet, StreamOutlet, local_clock, resolve_byprop

RESUME_S = 2.0
"""Dark time before the next choice when a run is resumed, s."""
AHEAD_S = 0.3
"""How long before its frame a marker is sent where the frames are timed by the clock, s."""
SIZE = 110
"""Distance between the middles of two items, pixels; less where the screen is too low for all rows."""
MARGIN = 140
"""Height that is left for the line of what was chosen, pixels."""


class Engine:
    """What the engine says: which run is on, whether it is paused, and what was decided in it."""

    def __init__(self, session):
        self.runs, self.decisions = hear(f"wb-cues-{session}"), hear(f"wb-decisions-{session}")
        self.run, self.paused, self.chosen = None, False, {}

    def listen(self):
        """Take in what has arrived."""
        for said in texts(self.runs):
            if said["kind"] == "run" and said.get("schedule"):
                self.run, self.paused, self.chosen = said, False, {}
            elif said["kind"] in ("end", "stop"):
                self.run = None
            elif said["kind"] in ("pause", "resume"):
                self.paused = said["kind"] == "pause"
        for said in texts(self.decisions):
            if said["change"] == "cued":
                self.chosen[said["trial"]] = said["label"]


class NoScreen:
    """Frames of exact times, with nothing on them."""

    def __init__(self, refresh_hz=60.0):
        self.refresh_hz, self.frame, self.dropped = refresh_hz, 0, 0
        self.began = local_clock() + AHEAD_S

    def draw(self, run, cue, frame, chosen):
        """Nothing is drawn."""

    def say(self, sentence):
        """Nothing is written."""

    def change_square(self):
        """There is no photodiode."""

    def closed(self):
        """It cannot be closed."""
        return False

    def flip(self):
        """Wait for the next frame; when it is shown."""
        self.frame += 1
        at = self.began + self.frame / self.refresh_hz
        time.sleep(max(0.0, at - AHEAD_S - local_clock()))
        return at


class Window:
    """A window of PsychoPy over the whole screen.

    ``refresh_hz`` is for a screen that does not make a flip wait for its next frame, such as a virtual one: then
    each flip waits for its time by the clock.
    """

    def __init__(self, *, delay_s, photodiode, refresh_hz=None):
        from psychopy import event, visual

        self.visual, self.keys, self.delay_s = visual, event.getKeys, delay_s
        self.window = visual.Window(fullscr=True, color=(-1, -1, -1), units="pix", allowGUI=False)
        self.period_s, self.due = 1 / refresh_hz if refresh_hz else 0.0, 0.0
        self.refresh_hz = refresh_hz or self.window.getActualFrameRate(nIdentical=60)
        # At a rate that was assumed everything would be too fast or too slow, and no marker would say so.
        if not self.refresh_hz:
            sys.exit("the frames of this screen do not come evenly; turn vertical sync on, or give --refresh-hz")
        self.window.recordFrameIntervals, self.window.refreshThreshold = True, 1.5 / self.refresh_hz
        self.frame, self.at, self.shown, self.escaped, self.bright = 0, 0.0, None, False, False
        self.kept = {}  # what was set last of each stimulus
        width, height = self.window.size
        self.text = visual.TextStim(self.window, height=40, wrapWidth=0.9 * width, pos=(0, height / 2 - 60))
        corner = (width / 2 - 40, height / 2 - 40)
        self.square = visual.Rect(self.window, width=80, height=80, pos=corner, fillColor="black", lineWidth=0)
        self.square.autoDraw = photodiode

    @property
    def dropped(self):
        return self.window.nDroppedFrames

    def draw(self, run, cue, frame, chosen):
        """The items at a frame of a cue; what was chosen is written above and framed."""
        if self.shown is not run:
            self.shown, self.items = run, self.make(run["params"])
        params, (_, label, _, trial) = run["params"], cue
        levels = brightness(params, label, frame, self.refresh_hz)
        self.say(("" if "columns" in params else " ").join(chosen[k] for k in sorted(chosen)))
        for item, level, (box, name) in zip(params["items"], levels, self.items):
            asked = label == f"look:{item}" or (label == item and "columns" in params)
            framed = label == "rest" and chosen.get(trial) == item
            self.put(box, "fillColor", (level, level, level))
            self.put(box, "lineColor", "white" if asked else "limegreen")
            self.put(box, "lineWidth", 6 if asked or framed else 0)
            self.put(name, "color", "black" if level > 0 else "white")
            box.draw()
            name.draw()

    def make(self, params):
        """Box and name of each item, row after row."""
        n = len(params["items"])
        columns = params.get("columns") or math.ceil(math.sqrt(n))
        rows = math.ceil(n / columns)
        size = min(SIZE if "columns" in params else 2 * SIZE, (self.window.size[1] - MARGIN) / rows)
        made = []
        for i, item in enumerate(params["items"]):
            place = (size * (i % columns - (columns - 1) / 2), size * ((rows - 1) / 2 - i // columns))
            box = self.visual.Rect(self.window, width=0.7 * size, height=0.7 * size, pos=place)
            made.append((box, self.visual.TextStim(self.window, text=item, height=0.3 * size, pos=place)))
        return made

    def put(self, stimulus, name, value):
        """Set an attribute where it changes: setting a text or its colour takes a good part of a frame."""
        if self.kept.get((stimulus, name)) != value:
            self.kept[stimulus, name] = value
            setattr(stimulus, name, value)

    def say(self, sentence):
        """A sentence above, on a dark screen or over the items."""
        self.put(self.text, "text", sentence)
        self.text.draw()

    def change_square(self):
        """The square for a photodiode is black and white in turn: it changes with every marker."""
        self.bright = not self.bright
        self.square.fillColor = "white" if self.bright else "black"

    def closed(self):
        """Whether Escape was pressed."""
        self.escaped = self.escaped or bool(self.keys(["escape"]))
        return self.escaped

    def flip(self):
        """Show what was drawn; when it is seen."""
        self.due = max(self.due + self.period_s, local_clock())
        if self.period_s:
            time.sleep(max(0.0, self.due - local_clock()))
        # Called at the flip itself: what comes back from `flip` may be later.
        self.window.callOnFlip(self.flipped)
        self.window.flip()
        self.frame += 1
        return self.at + self.delay_s

    def flipped(self):
        """The frame is shown now."""
        self.at = local_clock()


def brightness(params, label, frame, refresh_hz):
    """Of each item at a frame of a cue, from -1 (black) to 1 (white); -0.6 is an item at rest."""
    items, contrast = params["items"], params["contrast"]
    if "frequencies_hz" in params:
        if label != "free" and label not in items:
            return [-0.6] * len(items)
        turns = zip(params["frequencies_hz"], params["phases"])
        return [
            contrast * math.sin(2 * math.pi * hz * frame / refresh_hz + math.pi * phase) for hz, phase in turns
        ]
    if not label.startswith("stim:") or frame >= round(params["flash_s"] * refresh_hz):
        return [-0.6] * len(items)
    flash, columns = int(label.split(":")[1]) - 1, params["columns"]
    rows = math.ceil(len(items) / columns)

    def flashes(i):
        if params["layout"] == "single":
            return i == flash
        return i // columns == flash if flash < rows else i % columns == flash - rows

    return [-0.6 + 1.6 * contrast * flashes(i) for i in range(len(items))]


def hear(source_id):
    """Inlet of one of the engine's streams; an engine that compiles for the first time takes a minute."""
    while not (found := resolve_byprop("source_id", source_id, timeout=10)):
        sys.stderr.write(f"no stream {source_id} yet; start the session, or correct its id\n")
    inlet = StreamInlet(found[0])
    # Now: what is sent before an inlet is open never arrives.
    inlet.open_stream(timeout=30)
    return inlet


def texts(inlet):
    """All texts that have arrived."""
    while True:
        sample, _ = inlet.pull_sample(timeout=0.0)
        if sample is None:
            return
        yield json.loads(sample[0])


class Presentation:
    """One run after another on a screen, with a marker for each change.

    ``send(label, at, **more)`` sends a marker whose stamp is the time ``at``, s.
    """

    def __init__(self, engine, screen, send):
        self.engine, self.screen, self.send = engine, screen, send

    def show(self, run):
        """One run: every cue of its schedule, until it ends."""
        cues, begun = list(run["schedule"]), set()
        while self.engine.run is run and not self.screen.closed():
            if self.engine.paused:
                self.wait()
                # Choices that had begun are excluded; one whose item was only named is named again.
                cues = [cue for cue in run["schedule"] if cue[3] >= 0 and cue[3] not in begun]
            elif cues:
                cue = cues.pop(0)
                if cue[3] in self.engine.chosen and cue[1] != "rest":
                    continue
                if is_stimulus(cue[1]):
                    begun.add(cue[3])
                self.present(run, cue)
            else:
                self.screen.flip()
                self.engine.listen()

    def present(self, run, cue):
        """One cue, frame by frame; it ends early when its choice is decided or the run is paused or over."""
        _, label, duration_s, trial = cue
        frames, dropped = round(duration_s * self.screen.refresh_hz), self.screen.dropped
        for frame in range(frames):
            self.screen.draw(run, cue, frame, self.engine.chosen)
            if frame == 0:
                self.screen.change_square()
            at = self.screen.flip()
            if frame == 0:
                self.send(label, at, duration_s=duration_s, trial=trial, frames=frames)
                dropped = self.screen.dropped
            elif is_stimulus(label) and self.screen.dropped > dropped:
                self.send(f"disturbed: {self.screen.dropped - dropped} frames dropped", at)
                dropped = self.screen.dropped
            self.engine.listen()
            if self.engine.run is not run or self.engine.paused or self.screen.closed():
                self.stop(run, label)
                return
            if trial in self.engine.chosen and label != "rest":
                return

    def stop(self, run, label):
        """Dark at once; a choice that was open is excluded."""
        over = self.engine.run is not run
        self.screen.say("This run is over." if over else "Paused. Please wait.")
        if over or not is_stimulus(label):
            self.screen.flip()
            return
        self.screen.change_square()
        at = self.screen.flip()
        self.send("disturbed: paused" if self.engine.paused else "disturbed: presenter closed", at)
        self.send("rest", at)

    def wait(self):
        """Dark until the run is resumed or over, and a moment longer."""
        dark = 0
        while (
            self.engine.run is not None and dark < RESUME_S * self.screen.refresh_hz and not self.screen.closed()
        ):
            self.screen.say("Paused. Please wait." if self.engine.paused else "")
            self.screen.flip()
            self.engine.listen()
            dark = 0 if self.engine.paused else dark + 1


def is_stimulus(label):
    """Whether a choice is open at a cue: neither rest nor the name of the next item."""
    return label != "rest" and not label.startswith("look:")


def main(arguments):
    """Show one run after another until the window is closed or the process is ended."""
    parser = argparse.ArgumentParser(description="Presents the runs of a session: flicker and flashes.")
    parser.add_argument("session", help="id of the session")
    parser.add_argument(
        "--source-id", default="psychopy-presenter", help="of the marker stream, as the contract has it"
    )
    parser.add_argument("--name", default="presenter", help="of the marker stream, as the contract has it")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="from the flip to the light, by a photodiode")
    parser.add_argument(
        "--photodiode", action="store_true", help="a square in a corner that changes with each marker"
    )
    parser.add_argument(
        "--refresh-hz", type=float, help="time the frames by the clock: for a screen without vertical sync"
    )
    parser.add_argument("--no-window", action="store_true", help="show nothing: frames are timed by the clock")
    asked = parser.parse_args(arguments)
    # Before it looks for the engine, which waits for this stream.
    outlet = StreamOutlet(StreamInfo(asked.name, "Markers", 1, 0, "string", asked.source_id))
    engine = Engine(asked.session)
    delay_s = asked.delay_ms / 1000
    screen = (
        NoScreen()
        if asked.no_window
        else Window(delay_s=delay_s, photodiode=asked.photodiode, refresh_hz=asked.refresh_hz)
    )
    error_ms = 0.0 if asked.no_window else 500 / screen.refresh_hz

    def send(label, at, **more):
        marker = {
            "label": label,
            "refresh_hz": screen.refresh_hz,
            "frame": screen.frame,
            "error_ms": error_ms,
            **more,
        }
        outlet.push_sample([json.dumps(marker)], at)

    presentation, sentence = Presentation(engine, screen, send), "Please wait."
    while not screen.closed():
        if engine.run is not None:
            presentation.show(engine.run)
            sentence = "This run is over."
        screen.say(sentence)
        screen.flip()
        engine.listen()


if __name__ == "__main__":
    main(sys.argv[1:])
