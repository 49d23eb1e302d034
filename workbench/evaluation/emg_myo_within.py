"""Eight gestures by forearm EMG within a session, judged on repetitions that did not train."""

from __future__ import annotations

from workbench.evaluation._emg_myo import dataset, within

DATASET = dataset("emg_myo_within", "Eight gestures by forearm EMG within a session", within)
