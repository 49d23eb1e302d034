"""Reloading pages under load: the only page of an armed session goes and comes back, and nothing is dropped."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from workbench import live
from workbench.errors import BadValue, EngineFault
from workbench.recording import RunFile
from workbench.stress._armed import Clinic, close_hand, make_clinic, session

RELOAD_S = (0.5, 6.0)
"""How long the page is away, in turn, s: a quick reload and one on a loaded computer."""
ANSWER_S = 0.4


class Page:
    """Stands in for an operator's page: answers the engine's challenge while it is open, as its script would."""

    def __init__(self, client: live.Client) -> None:
        self._client, self._n = client, 0
        self.open = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._answer, name="page", daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        last = ""
        while not self._end.wait(ANSWER_S):
            if not self.open.is_set():
                continue
            try:
                challenge = self._client.status()["presence"]["challenge"]
                # One answer per challenge, as the page's script does; repeats would hide a lost one.
                if challenge != last:
                    self._client.presence(f"page-{self._n}", challenge, visible=True)
                    last = challenge
            except (BadValue, EngineFault):
                continue

    def reload(self, away_s: float) -> None:
        """The page goes and comes back under another id."""
        self.open.clear()
        time.sleep(away_s)
        self._n += 1
        self.open.set()

    def close(self) -> None:
        """The page is closed for good."""
        self._end.set()
        self._thread.join()


@dataclass(frozen=True, slots=True)
class ReloadFigures:
    """Reloads, times the effector was disarmed or faulted, gaps in the recorded signal, rows of absence."""

    reloads: int
    dropped: int
    gaps: int
    absences: int

    @property
    def passed(self) -> bool:
        """Whether nothing was dropped."""
        return self.dropped == self.gaps == 0

    def text(self) -> str:
        """The figures in one sentence."""
        return (
            f"{self.reloads} reloads of the only page, away {RELOAD_S[0]:g} and {RELOAD_S[1]:g} s in turn, with "
            f"an armed hand: {self.dropped} times disarmed or faulted, {self.gaps} gaps, {self.absences} rows of "
            "absence"
        )


def reloads(n: int, *, seed: int = 1, folder: Path | None = None) -> ReloadFigures:
    """Reload the only page of an armed session ``n`` times.

    Parameters
    ----------
    n : reloads.
    seed : of the simulated participant.
    folder : for the study; a temporary one by default.

    Raises
    ------
    WorkbenchError
        When the hand could not be armed.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="workbench-stress-", ignore_cleanup_errors=True) as name:
            return reloads(n, seed=seed, folder=Path(name))
    clinic = make_clinic(folder / "study", seed=seed)
    plan = clinic.plan(script_present=False)
    with session(clinic, plan) as client:
        return _reload(clinic, client, n)


def _reload(clinic: Clinic, client: live.Client, n: int) -> ReloadFigures:
    page = Page(client)
    page.open.set()
    while client.status()["presence"]["state"] != "present":
        time.sleep(0.1)
    # A reload takes 4.25 s on average: a run that ended before the last one would disarm the hand by itself.
    close_hand(clinic, client, n_trials=6 + n // 4)
    dropped = 0
    for number in range(n):
        page.reload(RELOAD_S[number % len(RELOAD_S)])
        time.sleep(1.0)
        status = client.status()
        if status["effector"]["state"] in ("IDLE_SAFE", "FAULT_SAFE", "ESTOP", "DISCONNECTED"):
            dropped += 1
    page.close()
    client.end_run()
    run = client.wait("run", timeout=60.0)["run"]
    # The recording has every row of the run; a status only the newest 50.
    kinds = [row.kind for row in RunFile(clinic.folder / run["recording"]).ledger()]
    return ReloadFigures(
        reloads=n, dropped=dropped, gaps=kinds.count("gap"), absences=kinds.count("operator_absent")
    )
