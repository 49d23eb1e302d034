"""What is attached at a site: streams of the network, their roles, and the contract of a session that follows.

``discovery`` looks, ``setup`` holds streams and answers and saves them, ``contract`` turns them into the stream
contract or says what is in the way, ``difference`` says what is other than at the last visit, and
:class:`SetupEditor` is what a screen asks.
"""

from __future__ import annotations

from workbench.hardware.contract import Problem, contract, problems, waived_streams
from workbench.hardware.difference import Change, difference
from workbench.hardware.discovery import Discovery, discover
from workbench.hardware.editor import SetupEditor
from workbench.hardware.setup import AUX, Connection, Setup, load, save, sites, with_found
from workbench.hardware.streams import FoundStream, describe

__all__ = [
    "AUX",
    "Change",
    "Connection",
    "Discovery",
    "FoundStream",
    "Problem",
    "Setup",
    "SetupEditor",
    "contract",
    "describe",
    "difference",
    "discover",
    "load",
    "problems",
    "save",
    "sites",
    "waived_streams",
    "with_found",
]
