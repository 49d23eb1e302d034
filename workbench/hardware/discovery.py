"""Looking for streams, in a separate process (:mod:`workbench.hardware.process`)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.devices import lsl
from workbench.hardware.process import ask
from workbench.hardware.streams import FoundStream, describe

OWN_TYPES = ("Cues", "Decisions", "Commands", "Acks", "DeviceStatus")
"""Types of the streams that the workbench and its effectors publish; none is an amplifier."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What one search found.

    Attributes
    ----------
    streams : sorted by name and source_id, without those of the workbench.
    effectors : source_ids of the status streams of effectors.
    own_configuration : whether the peers count; False where ``LSLAPICFG`` names a file of the site's own.
    """

    streams: tuple[FoundStream, ...]
    effectors: tuple[str, ...] = ()
    own_configuration: bool = True


def discover(peers: Sequence[str] = (), *, seconds: float = 2.0) -> Discovery:
    """Every stream of this computer and of the peers.

    Parameters
    ----------
    peers : names or addresses of acquisition computers.
    seconds : how long to listen.

    Raises
    ------
    BadValue
        For a peer that is no name or address.
    StreamFault
        When LSL cannot be used; the text is what it said.
    """
    lsl.check_names(peers)
    return _restored(ask(__name__, {"peers": list(peers), "seconds": seconds}, seconds=seconds))


def _restored(content: Mapping[str, Any]) -> Discovery:
    streams = tuple(FoundStream.of(one) for one in content["streams"])
    return Discovery(streams, tuple(content["effectors"]), bool(content["own_configuration"]))


def _search(peers: Sequence[str], seconds: float) -> Discovery:
    own = lsl.configure(peers=peers).own
    seen = lsl.discover(seconds)
    return Discovery(
        tuple(describe(one) for one in seen if one.type not in OWN_TYPES),
        tuple(one.source_id for one in seen if one.type == "DeviceStatus"),
        own,
    )


if __name__ == "__main__":
    request = json.loads(sys.stdin.read())
    sys.stdout.write(f"\n{json.dumps(asdict(_search(request['peers'], float(request['seconds']))))}\n")
    sys.stdout.flush()
    os._exit(0)
