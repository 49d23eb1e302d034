"""Shared fixtures: where the real recordings are, and where tests keep their files."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.shares import EVERYTHING

ROOT = Path(__file__).resolve().parents[1]


settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.register_profile("release", settings.get_profile("dev"), max_examples=100)
settings.load_profile("release" if EVERYTHING else "ci" if os.environ.get("CI") else "dev")
"""No limit in time: the machine may be busy. CI tries the same thirty examples every time, so that red means a
change; elsewhere each run draws others, before a release a hundred."""


os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""There is a worker for each core: threads of linear algebra only wait for one another, and spin meanwhile."""


os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
"""Workers and child processes keep their bytecode: else some hundred processes would each compile every module."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Look for no garbage while tests are collected: what is made stays, and is not walked again afterwards.

    Later it is looked for less often than usual: a thirtieth of the suite's time went into it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


WAITING = ("browser", "cli", "conformance", "devices", "docs", "faults", "live", "notebooks", "systems", "widgets")
"""Rooms whose tests wait for processes, devices and pages more than they compute."""
EARLY = 0.85
"""Part of the run within which all of them begin, so that at its end nobody waits for a long one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Beside tests that wait there are always some that compute; the order within a file stays."""
    files = list(dict.fromkeys(item.path for item in items))
    rooms = [path.relative_to(ROOT / "tests").parts[0] in WAITING for path in files]
    place = {}
    for waits in (True, False):
        those = [path for path, does in zip(files, rooms, strict=True) if does == waits]
        place.update({path: k / len(those) * (EARLY if waits else 1.0) for k, path in enumerate(those)})
    items.sort(key=lambda item: place[item.path])


TOGETHER = {
    "pages": (
        "tests/browser/",
        "tests/widgets/test_clinic.py",
        "tests/widgets/test_clinician_pages.py",
        "tests/widgets/test_participant_page.py",
        "tests/widgets/test_presenter.py",
        "tests/widgets/test_safety_desk.py",
        "tests/widgets/test_screens.py",
        "tests/widgets/test_study_page.py",
        "tests/widgets/test_worksheet.py",
    ),
    "sources": (
        "tests/docs/test_docs.py",
        "tests/hostile/test_readers.py",
        "tests/signals/test_units.py",
        "tests/test_architecture.py",
        "tests/test_messages.py",
        "tests/widgets/test_locale.py",
    ),
}
"""Files of one worker each, so that there is one browser and not four, and the package is parsed once."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for a core, as many of them wait; in CI, where jobs run beside them, one less."""
    return min(2 * (os.cpu_count() or 2), 8) - bool(os.environ.get("CI"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker takes a file at a time, and those that share what is costly as if they were one."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            for name, files in TOGETHER.items():
                if nodeid.startswith(files):
                    return name
            return super()._split_scope(nodeid)

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 * 2**30
"""Free bytes from which tests keep their files in memory: thousands of synced writes wait for nothing there."""

if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


KERNELS = """
import sys, workbench.kernels as room
from importlib import import_module
from pkgutil import iter_modules
from workbench.kernels._jit import WAITING
for module in iter_modules(room.__path__):
    import_module(f"{room.__name__}.{module.name}")
for load in list(WAITING.values())[::int(sys.argv[1])]:
    load()
"""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, before each worker would; where they are cached it is quick.

    Two processes begin at either end; each reads from the cache what the other has compiled.
    """
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", default=None):
        return
    held = os.open(ROOT / "tests", os.O_RDONLY)
    try:
        # One of several runs in this folder compiles; the others wait for it and find everything cached.
        fcntl.flock(held, fcntl.LOCK_EX)
        both = [subprocess.Popen([sys.executable, "-c", KERNELS, step], cwd=ROOT) for step in ("1", "-1")]
        for one in both:
            one.wait()
    finally:
        os.close(held)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; tests skip with the reason where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared recordings: {folder} is not a folder (set WORKBENCH_TEST_DATA)")
    return folder


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Headless Chromium, one a worker; tests skip with the reason where it is absent.

    The shell is the same engine without the windows around it, which cost a third of the processor time.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    there = (shutil.which(name) for name in ("chromium-headless-shell", "chromium"))
    path = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, there), "")
    if not Path(path).is_file():
        pytest.skip(f"no browser: {path or 'none is installed'} (Debian: apt-get install chromium-headless-shell)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture(autouse=True)
def no_running_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test without a page may run an event loop: Playwright's keeps running in this thread between tests."""
    loop = None if "chromium" in request.fixturenames else asyncio._get_running_loop()
    if loop is not None:
        asyncio._set_running_loop(None)
    yield
    if loop is not None:
        asyncio._set_running_loop(loop)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Keep a picture of every open page of a test that failed, and say where."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("chromium")
    if report.failed and browser is not None:
        folder = item.funcargs["tmp_path_factory"].mktemp("pages")
        for number, page in enumerate(page for context in browser.contexts for page in context.pages):
            page.screenshot(path=folder / f"{number}.png")
        report.sections.append(("pages", f"pictures of the open pages: {folder}"))
    return report


@pytest.fixture(autouse=True, scope="session")
def costly_hasher() -> Iterator[Any]:
    """What hashes passwords outside of tests. Here they cost the least: a third of a second each would add up."""
    from argon2 import PasswordHasher, profiles

    from workbench.study import people

    with pytest.MonkeyPatch.context() as patch:
        costly = people._hasher
        patch.setattr(people, "_hasher", lambda: PasswordHasher.from_parameters(profiles.CHEAPEST))
        yield costly


@pytest.fixture(autouse=True, scope="session")
def lsl_ports() -> None:
    """Ports of its own for each worker: streams are looked for at 128 of them, and several workers use more."""
    from workbench.devices import lsl

    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["WORKBENCH_LSL_PORT"] = str(16572 + 200 * (1 + int(worker.removeprefix("gw"))))
    # Programs that are not ours find the configuration in their environment.
    lsl.configure()


@pytest.fixture(autouse=True, scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keys of the studies that tests make: in a folder of their own, also for child processes."""
    folder = tmp_path_factory.mktemp("keys")
    before = os.environ.get("WORKBENCH_KEYS")
    os.environ["WORKBENCH_KEYS"] = str(folder)
    yield folder
    if before is None:
        del os.environ["WORKBENCH_KEYS"]
    else:
        os.environ["WORKBENCH_KEYS"] = before
