"""An amplifier on one computer and the engine on another: two network namespaces with one cable between them.

The amplifier runs with LSL as it comes, without a configuration of ours. The engine's computer knows its address
as a known peer, which the set-up of the site keeps. How long a search takes is measured, that nothing is found
without the address, and that nothing is lost on the way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from workbench import hardware, world
from workbench.devices import lsl
from workbench.errors import EngineFault, Refused
from workbench.hardware import setup as site_setup
from workbench.live import _starting
from workbench.live.plan import SessionPlan
from workbench.stress.lossless import count, end_source, start_source

SEARCHES = 10
SEARCH_S = 20.0
"""A search that takes longer has found nothing, s."""
N_CHANNELS, FS = 64, 1000.0
AMPLIFIER, ENGINE = "10.213.7.1", "10.213.7.2"
"""Addresses of the two computers; nobody outside of the two namespaces can reach them."""


@dataclass(frozen=True, slots=True)
class PeersFigures:
    """Figures of :func:`two_computers`.

    Attributes
    ----------
    searches_s : how long each search took, s.
    unnamed : streams that were seen without the address of the amplifier.
    seconds : planned length of the run, s.
    n, lost, doubled : samples recorded, and by the counter of the amplifier. gaps : entries of the engine.
    """

    searches_s: tuple[float, ...]
    unnamed: int
    seconds: float
    n: int
    lost: int
    doubled: int
    gaps: int

    @property
    def passed(self) -> bool:
        """Whether it was found every time, not without its address, and nothing was lost."""
        found = len(self.searches_s) == SEARCHES and max(self.searches_s) < SEARCH_S
        enough = self.n >= 0.9 * FS * self.seconds
        return found and enough and self.unnamed == self.lost == self.doubled == self.gaps == 0

    def text(self) -> str:
        """The figures in two lines."""
        return (
            f"an amplifier in another network namespace: found in {median(self.searches_s):.2f} s (median of "
            f"{len(self.searches_s)} searches, longest {max(self.searches_s):.2f} s) by its address as a known "
            f"peer, {self.unnamed} times without it\n"
            f"{N_CHANNELS} channels at {FS:g} Hz for {self.seconds:g} s: {self.n:,} samples recorded, "
            f"{self.lost} lost, {self.doubled} doubled, {self.gaps} gaps"
        )


def two_computers(seconds: float) -> PeersFigures:
    """Figures of a run of so many seconds over a cable.

    Raises
    ------
    Refused
        Where network namespaces are not permitted.
    EngineFault
        When a part does not start.
    """
    source_id = f"source-{time.time_ns()}"
    options = {"source_id": source_id, "n_channels": N_CHANNELS, "fs": FS}
    with tempfile.TemporaryDirectory(prefix="workbench-stress-") as name, computers() as (amplifier, engine):
        folder = Path(name)
        plain = folder / "lsl_api.cfg"
        # A file of its own that changes nothing but the log: LSL as a maker of amplifiers ships it.
        plain.write_text("[log]\nlevel = -2\n", encoding="utf-8")
        source = start_source(options, before=[*amplifier, "env", f"LSLAPICFG={plain}"])
        try:
            asked = [*engine, sys.executable, "-m", __name__, str(folder / "study"), source_id, str(seconds)]
            ours = ("LSLAPICFG", "WORKBENCH_LSL_PORT")
            clean = {key: value for key, value in os.environ.items() if key not in ours}
            done = subprocess.run(asked, capture_output=True, text=True, env=clean)
        finally:
            end_source(source)
    if done.returncode:
        raise EngineFault(f"the engine's computer failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    # LSL may write to the output too; the last line is the answer.
    figures = json.loads(done.stdout.splitlines()[-1])
    return PeersFigures(**figures | {"searches_s": tuple(figures["searches_s"])})


@contextmanager
def computers() -> Iterator[tuple[list[str], list[str]]]:
    """Two namespaces with a cable; what stands before a command that runs in the first, and in the second.

    Raises
    ------
    Refused
        Where they are not permitted.
    """
    ends = [f"wb{end}-{os.getpid()}" for end in "ae"]
    try:
        for end in ends:
            _ip("netns", "add", end)
        _ip("link", "add", ends[0], "netns", ends[0], "type", "veth", "peer", "name", ends[1], "netns", ends[1])
        for end, address in zip(ends, (AMPLIFIER, ENGINE), strict=True):
            _ip("-n", end, "address", "add", f"{address}/24", "dev", end)
            _ip("-n", end, "link", "set", end, "up")
            _ip("-n", end, "link", "set", "lo", "up")
        yield ["ip", "netns", "exec", ends[0]], ["ip", "netns", "exec", ends[1]]
    finally:
        for end in ends:
            if Path("/run/netns", end).exists():
                _ip("netns", "delete", end)


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    except OSError as error:
        raise Refused("two computers need the command ip, and it is not here; install iproute2 (Linux)") from error
    if done.returncode:
        raise Refused(
            f"two computers need network namespaces, and these are not permitted here ({done.stderr.strip()}); "
            "run it as root"
        )


# ---------------------------------------------------------------------------------- the engine's computer
def measure(folder: Path, source_id: str, seconds: float) -> PeersFigures:
    """What the engine's computer finds and records.

    Parameters
    ----------
    folder : for the study. source_id : of the amplifier. seconds : length of the run, s.
    """
    folder.mkdir()
    unnamed = len(hardware.discover().streams)
    (found,) = [one for one in hardware.discover((AMPLIFIER,)).streams if one.source_id == source_id]
    saved = site_setup.save(
        folder,
        site_setup.Setup("main", (AMPLIFIER,), (site_setup.Connection("signal", found),)),
        by="stress",
    )
    lsl.configure(peers=saved.peers)
    searches = tuple(_search(source_id) for _ in range(SEARCHES))
    plan = SessionPlan(
        study_folder=str(folder),
        study="stress",
        participant="stress",
        visit="stress",
        session_id=f"stress-{source_id}",
        operator="stress",
        contract=(saved.connections[0].spec(critical=True),),
        peers=saved.peers,
        simulated=True,
        mains_hz=0.0,
    )
    client = _starting.start(plan)
    try:
        run_id = client.start_run("calibration", "grasp_rest", n_trials=round(seconds / 8) + 5)
        client.wait("running", timeout=60.0)
        world.clock.sleep(seconds)
        client.end_run()
        client.wait("run", timeout=60.0)
    finally:
        client.shutdown()
    n, lost, doubled, gaps = count(folder / "recordings" / f"{run_id}.xdf")
    return PeersFigures(searches, unnamed, seconds, n, lost, doubled, gaps)


def _search(source_id: str) -> float:
    """How long it takes to see the amplifier, s."""
    began = world.clock.monotonic()
    look = lsl.watcher()
    world.clock.until(lambda: any(seen.source_id == source_id for seen in look()), SEARCH_S)
    return world.clock.monotonic() - began


def main(argv: Sequence[str]) -> int:
    """The engine's computer."""
    figures = measure(Path(argv[0]), argv[1], float(argv[2]))
    sys.stdout.write(f"\n{json.dumps(asdict(figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
