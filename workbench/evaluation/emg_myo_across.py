"""Eight gestures by forearm EMG across sessions, judged on sessions that did not train."""

from __future__ import annotations

from workbench.evaluation._emg_myo import across, dataset

DATASET = dataset("emg_myo_across", "Eight gestures by forearm EMG across sessions", across)
