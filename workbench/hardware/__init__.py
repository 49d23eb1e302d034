"""What is attached at a site: streams of the network, their roles, and the contract of a session that follows.

``discovery`` finds streams, ``measurement`` measures them and ``checks`` judges the result; ``setup`` holds and
saves streams and answers, ``certificates`` the certificates of effectors; ``contract`` makes the stream contract
or lists what prevents it, ``difference`` lists what has changed since the last visit, and :class:`SetupEditor`
serves a screen.
"""

from __future__ import annotations

from workbench.hardware import certificates
from workbench.hardware.checks import Check, Electrode, checks, electrodes
from workbench.hardware.contract import Problem, contract, problems, waived_streams
from workbench.hardware.difference import Change, difference
from workbench.hardware.discovery import Discovery, discover
from workbench.hardware.editor import Listen, SetupEditor
from workbench.hardware.measurement import Measurement, measure
from workbench.hardware.setup import AUX, Connection, Setup, Waiver, load, save, sites, with_found
from workbench.hardware.streams import FoundStream, describe

__all__ = [
    "AUX",
    "Change",
    "Check",
    "Connection",
    "Discovery",
    "Electrode",
    "FoundStream",
    "Listen",
    "Measurement",
    "Problem",
    "Setup",
    "SetupEditor",
    "Waiver",
    "certificates",
    "checks",
    "contract",
    "describe",
    "difference",
    "discover",
    "electrodes",
    "load",
    "measure",
    "problems",
    "save",
    "sites",
    "waived_streams",
    "with_found",
]
