"""Looking for streams in a process of its own.

liblsl reads its configuration once in the life of a process, so that a page which names another acquisition
computer could not ask it. A short-lived process can, and a fault in liblsl never takes the page along.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench import reading
from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.hardware.streams import FoundStream, describe
from workbench.messages import Message

OWN_TYPES = ("Cues", "Decisions", "Commands", "Acks", "DeviceStatus")
"""Types of the streams that the workbench and its effectors publish; none is an amplifier."""

GRACE_S = 60.0
"""How much longer than the search its process may take, s."""


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
    asked = json.dumps({"peers": list(peers), "seconds": seconds})
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=asked,
            capture_output=True,
            text=True,
            timeout=seconds + GRACE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise StreamFault(Message("setup.search_hangs", n=f"{seconds + GRACE_S:g}")) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [""]
        raise StreamFault(Message("setup.search_failed", why=lines[-1]))
    return _restored(reading.parse_json(done.stdout.splitlines()[-1], "the streams found", error=StreamFault))


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
    # liblsl writes to the process's own output; only the last line is the answer.
    sys.stdout.write(f"\n{json.dumps(asdict(_search(request['peers'], float(request['seconds']))))}\n")
    sys.stdout.flush()
    os._exit(0)
