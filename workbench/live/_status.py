"""What the engine tells its clients, as one JSON-able mapping. Screens only show it.

Times are s, ``age_s`` counts real seconds (stream time divided by the speed), every word is plain text.
"""

from __future__ import annotations

import copy
from typing import Any

BLANK_STATUS: dict[str, Any] = {
    "engine": {
        "pid": 0,
        "started": "",
        "state": "none",
        "log": "",
        "sentence": "",
        "transport": "",
        "heavy_modules": [],
        "threads": 0,
        "arming": "",
        "age_s": 0.0,
        "lost": {},
        "supervised": [],
        "unsupervised": [],
        "disk_free_mb": 0.0,
        "seq": 0,
    },
    "session": {
        "id": "",
        "study": "",
        "participant": "",
        "visit": "",
        "session": "",
        "operator": "",
        "simulated": False,
        "speed": 1.0,
        "effector_simulated": False,
    },
    "streams": [],
    "quality": {"state": "check", "channels": []},
    "run": None,
    "evidence": None,
    "decoder": None,
    "effector": None,
    "latency": {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None, "n": 0, "representative": True},
    "ledger": [],
    "ledger_total": 0,
    "alarms": [],
    "presence": {"state": "nobody_yet", "challenge": "", "age_s": None, "limit_s": 20.0, "pages": 0},
}
"""The shape of a status; see the field notes below.

engine.state : ``none | starting | compiling | connecting | idle | running | stopping | failed``
engine.age_s : s since the loop wrote this status; it grows while the loop stands still. ``lost`` : thread → why,
    for each thread that ended or stands still. ``supervised``, ``unsupervised`` : names of threads. ``arming`` :
    nonce for the next grant
presence : state (``present | absent | nobody_yet | script``), challenge for the page, age_s of the last answer,
    limit_s until the effector is released, pages that answered within 2 s
streams[] : name, type, role, fs, measured_fs, n_channels, unit, critical, state
    (``good | check | lost | waived | missing``), age_s, message
quality.channels[] : name, state (``good | check | bad``), code, rms_uv, line_ratio
run : id, number, kind, paradigm, state (``compiling | running | paused | finished | stopped | failed``),
    trials_done, trials_total, elapsed_s, left_s (stream time), left_real_s, cue, trials[], recording, sentence,
    adapting
run.cue : label, trial, elapsed_s, duration_s, next
run.adapting : rule (empty where the decoder stays as it was fitted), updates, age_s of the last one (None before
    the first and after the run), rolled_back (updates that went back to the fit), head (hash of the last update;
    of the decoder before the first)
evidence : classes, target, p, activate, release, dwell, dwell_needed, active (``dwell`` then counts hops below
    ``release``), valid, history [[t_rel_s, p], …]
decoder : sha256, name, approved
effector : name, simulated, state, previous, next, why, level, acknowledged, sent, conditions [{text_key, ok}]
latency : acquire → decide → emit of the run; ``representative`` is False where speed is not 1
ledger[] : newest first, at most 50; each row also has ``clock`` "HH:MM:SS"
effector.stop, .confirmed, .foreign : what the device itself has confirmed, see ``Controller.snapshot``
alarms[] : STOP first, then open before cleared; id, key, priority (``high | medium | low``), what, means, do,
    args, raised_s (age), cleared (its cause has gone), earlier (of an engine before), acknowledged (None or by,
    age_s). One leaves the list when it is cleared and acknowledged
"""


def blank() -> dict[str, Any]:
    """A status of no engine."""
    return copy.deepcopy(BLANK_STATUS)
