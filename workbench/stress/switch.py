"""One noisy switch leads the real page through days at home: Chromium, Voila, engine and simulated glove.

Somebody watches the frame and presses a key after a reaction time with jitter; the switch misses presses, and
clicks by itself in steps of the scan. A caregiver touches what no switch may do: that they are there, and the
reset of a STOP. Counted are the seconds in which a choice was wanted and could be made; what the engine takes is
no one's switch. It is a model of a switch and of somebody patient, and no evidence about people.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis import clopper_pearson
from workbench.control import ScanSettings
from workbench.errors import BadValue
from workbench.stress import scanning
from workbench.stress._armed import make_clinic
from workbench.stress.scanning import Switch
from workbench.study import protocol
from workbench.study.changes.protocols import AdoptProtocol
from workbench.widgets.dashboard import serve

DWELL_S = 1.0
"""Step of the frame, the shortest there is: a day waits for the engine anyway."""
WANTED = {"connect": "connect", "check": "skin_checked", "ready": "start", "use": "finish", "off": "glove_off"}
"""What is wanted of each screen."""
LONGEST_S = 240.0
"""Of one day, s; then it is given up."""
LOOK_MS = 20.0
"""How often the person looks at the page, ms."""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
PROTOCOL = """
[study]
code = "STRESS"
title = "stress test"
version = "1.0.0"
sponsor = "stress test"
jurisdictions = ["EU"]
effective_from = 2026-01-01
[consent]
purposes = { required = ["participation"], optional = ["upload"] }
document_version = "1.0"
document_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[arm]]
name = "all"
title = "All"
[[visit]]
name = "stress"
anchor = "consent"
day = 0
earliest = 0
latest = 7
repeats = true
[home_use]
present = ["participant", "caregiver"]
reset = ["caregiver"]
present_min = 60
day_min = 720
skin_min = 90
call = "Study line 010-5550-0100"
emergency = "120"
release = "Open the grey valve at the wrist. The glove goes soft."
call_zh = "研究热线 010-5550-0100"
release_zh = "打开腕部的灰色阀门，手套会变软。"
"""
SEEN = """() => {
  const page = document.querySelector(".wb-home");
  const there = (name) => Boolean(document.querySelector(`[data-name=${name}]`));
  if (!page || !page.dataset.screen) return null;
  return { ...page.dataset, attend: there("home-attend"), reset: there("home-reset") };
}"""


@dataclass(slots=True)
class BrowserDay:
    """What came of one day.

    Attributes
    ----------
    seconds : in which a choice was wanted and could be made. done : whether the day was completed.
    unmeant : acts that took effect and were not wanted. stops : STOPs, none of which anybody meant.
    moved : whether the glove moved. took_s : the whole day.
    """

    seconds: float = 0.0
    done: bool = False
    unmeant: int = 0
    stops: int = 0
    moved: bool = False
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SwitchFigures:
    """Figures of all seeds; ``ideal_s`` is what the model's days take without a fault, their mean."""

    days: tuple[BrowserDay, ...]
    ideal_s: float

    @property
    def passed(self) -> bool:
        """Whether every day was completed, and its glove moved."""
        return all(day.done and day.moved for day in self.days)

    def text(self) -> str:
        """The figures, a line each."""
        n = len(self.days)
        within = sum(day.done and day.seconds <= 3 * self.ideal_s for day in self.days)
        share = clopper_pearson(within, n)
        ratios = [day.seconds / self.ideal_s for day in self.days]
        return "\n".join((
            f"{n} days in Chromium with engine and simulated glove: {sum(day.done for day in self.days)} "
            f"completed, {sum(day.moved for day in self.days)} with a glove that moved",
            f"within 3 × the ideal time: {within}/{n} (95 % CI {share.low:.3f}–{share.high:.3f}); "
            f"time over the ideal: median {np.median(ratios):.2f}, longest {max(ratios):.2f}; "
            f"ideal {self.ideal_s:.1f} s",
            f"that nobody meant: {sum(day.unmeant for day in self.days)} acts that took effect, "
            f"{sum(day.stops for day in self.days)} STOPs, each reset by hand",
            f"a day takes {np.mean([day.took_s for day in self.days]):.0f} s with the engine's own time",
        ))  # fmt: skip


def make_home(folder: Path, *, seed: int) -> None:
    """A study of one participant with an approved decoder, and a protocol with a rule for use at home.

    Parameters
    ----------
    folder : of the study, which is made.
    seed : of the participant.
    """
    clinic = make_clinic(folder, seed=seed)
    with clinic.study as study:
        signers = [study.script_signer(name).confirm() for name in ("one", "another")]
        study.apply(AdoptProtocol(protocol.parse(PROTOCOL, "protocol").definition()), signers, "stress test")


def days_in_browser(
    n: int, seed: int, *, browser: Any = None, step: Callable[[], object] = lambda: None
) -> SwitchFigures:
    """Days of ``n`` seeds.

    Parameters
    ----------
    n, seed : how many, and the first one.
    browser : of Playwright; None starts one.
    step : called after each day.
    """
    ideal = _ideal_s()
    with tempfile.TemporaryDirectory(prefix="workbench-switch-") as home, _started(browser) as started:
        folder = Path(home) / "study"
        make_home(folder, seed=seed)
        days = []
        with _served(folder) as url:
            for one in range(seed, seed + n):
                context = started.new_context(viewport={"width": 1024, "height": 768}, reduced_motion="reduce")
                try:
                    page = context.new_page()
                    page.goto(url)
                    days.append(Person(page, Switch(), one).day())
                finally:
                    context.close()
                step()
    return SwitchFigures(tuple(days), ideal)


def _ideal_s() -> float:
    """Mean time of the model's days with a switch without faults, s."""
    settings = ScanSettings(dwell_s=DWELL_S)
    return float(np.mean([sum(day.ideal_s) for day in scanning.scanned(40, 1, settings=settings, hours=0.0).days]))


@contextmanager
def _started(browser: Any) -> Iterator[Any]:
    if browser is not None:
        yield browser
        return
    try:
        sync_api = import_module("playwright.sync_api")
    except ImportError as error:
        raise BadValue("this stress test drives a browser: install playwright") from error
    there = (shutil.which(name) for name in ("chromium-headless-shell", "chromium"))
    path = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, there), "")
    if not path:
        raise BadValue("this stress test drives a browser: install chromium-headless-shell or chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The page of the study; what it reads from the environment is set for its kernels alone."""
    before = os.environ.get("WORKBENCH_DWELL_S")
    os.environ["WORKBENCH_DWELL_S"] = f"{DWELL_S:g}"
    try:
        dashboard = serve(folder, open_browser=False, dashboard="home")
    finally:
        del os.environ["WORKBENCH_DWELL_S"]
        if before is not None:
            os.environ["WORKBENCH_DWELL_S"] = before
    try:
        yield dashboard.url
    finally:
        dashboard.stop()


@dataclass(slots=True)
class Person:
    """Somebody at a switch in front of the page, and a caregiver beside them.

    Parameters
    ----------
    page : of Playwright, at the address.
    switch : with its faults.
    seed : of them.
    """

    page: Any
    switch: Switch
    seed: int
    found: BrowserDay = field(default_factory=BrowserDay)
    _step: tuple[str, ...] = ()
    _began: float = 0.0
    _presses: list[float] = field(default_factory=list)
    _screen: str = ""
    _rng: Any = None

    def day(self) -> BrowserDay:
        """From the first screen to the last."""
        self._rng = np.random.Generator(np.random.PCG64([self.seed, 5]))
        self.page.wait_for_selector(".wb-home[data-screen=connect]", timeout=120_000)
        began = before = time.monotonic()
        while not self.found.done and time.monotonic() - began < LONGEST_S:
            seen = self.page.evaluate(SEEN)
            now = time.monotonic()
            if seen is not None:
                self._look(seen, now, now - before)
            before = now
            self.page.wait_for_timeout(LOOK_MS)
        self.found.took_s = time.monotonic() - began
        return self.found

    def _look(self, seen: dict[str, Any], now: float, since: float) -> None:
        screen, scan = seen["screen"], seen["scan"]
        self.found.moved |= scan == "moving"
        if screen != self._screen:
            self._left(screen)
        self.found.done = screen == "done"
        if screen == "stopped":
            self._touch("home-reset", there=seen["reset"])
            return
        if seen["attend"]:
            self._touch("home-attend", there=True)
            return
        # Finish is wanted once the glove has moved.
        wanted = "" if screen == "use" and not self.found.moved else WANTED.get(screen, "")
        if scan == "moving" or screen == "busy":
            self._step = ()
            return
        self.found.seconds += since if wanted else 0.0
        self._scan(seen, wanted, now)

    def _left(self, screen: str) -> None:
        """Another screen: whatever led to it was wanted, or not."""
        self.found.stops += screen == "stopped"
        # The glove was said to be off where it was to be started, or the use ended before it moved.
        early = self._screen == "use" and screen in ("busy", "off") and not self.found.moved
        self.found.unmeant += early or (self._screen, screen) == ("ready", "done")
        self._screen = screen

    def _scan(self, seen: dict[str, Any], wanted: str, now: float) -> None:
        """One look at the frame: what falls due in its step is pressed."""
        step = (seen["screen"], seen["scan"], seen["lit"], seen["taking"])
        if step != self._step or now - self._began >= DWELL_S:
            self._step, self._began = step, now
            self._presses = sorted([*self._meant(seen, wanted), *self._false()])
        if self._presses and now - self._began >= self._presses[0]:
            self._presses = []
            self.page.keyboard.down(" ")
            self.page.wait_for_timeout(1000 * self.switch.closed_s)
            self.page.keyboard.up(" ")

    def _false(self) -> list[float]:
        last = DWELL_S - self.switch.closed_s
        return [float(self._rng.uniform(0.0, last))] if self._rng.random() < self.switch.false else []

    def _meant(self, seen: dict[str, Any], wanted: str) -> list[float]:
        lit = seen["lit"].partition("#")[0]
        # Where nothing is wanted, what a false click took is taken back too.
        meant = seen["taking"] != wanted if seen["scan"] == "taking" else bool(wanted) and lit == wanted
        if not meant:
            return []
        at = max(0.05, self.switch.reaction_s + self.switch.jitter_s * float(self._rng.standard_normal()))
        while at <= DWELL_S - self.switch.closed_s:
            if self._rng.random() >= self.switch.missed:
                return [at]
            at += self.switch.again_s
        return []

    def _touch(self, name: str, *, there: bool) -> None:
        """The caregiver touches a button; the page takes as long as it takes."""
        self._step = ()
        if there:
            self.page.click(f"[data-name={name}]", timeout=5_000)
            self.page.wait_for_timeout(500)
