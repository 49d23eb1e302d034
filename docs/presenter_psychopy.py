"""A presenter for PsychoPy: selection by flicker, as docs/presenters.md describes it.

    python presenter_psychopy.py SESSION_ID

Needs psychopy, numpy and pylsl in an environment of its own. It shows the schedule that the engine publishes when
a run begins, counts frames, reports dropped ones, and ends a choice when its decision comes. It is an example:
measure the delay of your screen with a photodiode and set SCREEN_DELAY_S before you use it with a participant.
"""

import json
import sys

import numpy as np
from psychopy import core, visual
from pylsl import StreamInfo, StreamInlet, StreamOutlet, local_clock, resolve_byprop

SCREEN_DELAY_S = 0.0
SIZE, PLACES = 160, 320
"""Side of an item and distance between two, pixels."""


def hear(source_id):
    """Inlet of one of the engine's streams."""
    return StreamInlet(resolve_byprop("source_id", source_id, timeout=30)[0])


def texts(inlet):
    """All texts that have arrived."""
    while True:
        sample, _ = inlet.pull_sample(timeout=0.0)
        if sample is None:
            return
        yield json.loads(sample[0])


def main(session):
    """Show one run after another until the window is closed."""
    runs, decisions = hear(f"wb-cues-{session}"), hear(f"wb-decisions-{session}")
    outlet = StreamOutlet(StreamInfo("presenter", "Markers", 1, 0, "string", f"psychopy-{session}"))
    window = visual.Window(fullscr=True, color=(-1, -1, -1), units="pix", allowGUI=False)
    refresh_hz = window.getActualFrameRate(nIdentical=60) or 60.0
    window.recordFrameIntervals, window.refreshThreshold = True, 1.5 / refresh_hz

    def send(label, **more):
        # Called at the flip: the stamp is that of the frame in which the light changes.
        marker = {"label": label, "refresh_hz": refresh_hz, "error_ms": 1000 * 0.5 / refresh_hz, **more}
        outlet.push_sample([json.dumps(marker)], local_clock() + SCREEN_DELAY_S)

    while True:
        for said in texts(runs):
            if said["kind"] == "run" and said.get("paradigm") == "selection":
                present(said, window, send, decisions, refresh_hz)
        core.wait(0.05)


def present(run, window, send, decisions, refresh_hz):
    """One run: every cue of its schedule, the flicker frame by frame."""
    params = run["params"]
    n = len(params["items"])
    places = [((i % 4 - 1.5) * PLACES, (0.5 - i // 4) * PLACES) for i in range(n)]
    boxes = [visual.Rect(window, width=SIZE, height=SIZE, pos=place, lineWidth=0) for place in places]
    names = [visual.TextStim(window, text=item, pos=place) for item, place in zip(params["items"], places)]
    angles = 2 * np.pi * np.array(params["frequencies_hz"]) / refresh_hz
    phases = np.pi * np.array(params["phases"])
    for _, label, duration_s, trial in run["schedule"]:
        flickers, dropped = label in params["items"] or label == "free", window.nDroppedFrames
        window.callOnFlip(send, label, duration_s=duration_s, trial=trial, frames=round(duration_s * refresh_hz))
        for frame in range(round(duration_s * refresh_hz)):
            for box, angle, phase in zip(boxes, angles, phases):
                level = np.sin(angle * frame + phase) if flickers else -0.6
                box.fillColor = (level, level, level)
                box.draw()
            for name in names:
                name.color = "yellow" if label == f"look:{name.text}" else "white"
                name.draw()
            window.flip()
            if flickers and window.nDroppedFrames > dropped:
                send(f"disturbed: {window.nDroppedFrames - dropped} frames dropped")
                dropped = window.nDroppedFrames
            if any(said["change"] == "cued" and said["trial"] == trial for said in texts(decisions)):
                break


if __name__ == "__main__":
    main(sys.argv[1])
