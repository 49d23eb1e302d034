"""One notebook as a dashboard: a standalone Voila that shows it and runs nothing else.

Standalone Voila drops ``execute_request``; Voila mounted inside a Jupyter server does not, so it always runs
standalone. It listens on 127.0.0.1 only, requires a token, shows no traceback, takes neither template nor
theme from the address, serves one notebook, and ends idle kernels. A guard in front of its handlers refuses
requests (see ``guarded``), and it is watched: a server that ended or hangs is started again at the same address.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from workbench.errors import BadValue, EngineFault
from workbench.messages import Message
from workbench.widgets import _tickets

HOST = "127.0.0.1"
TEMPLATE = "workbench"
EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget")
"""Extensions of JupyterLab that a page loads: what shows widgets, and nothing else that is installed. Plotly's
alone is 5 MB of script that every page would read and compile, and no dashboard draws with it."""
CULL_S = 120
READY_S = 60.0
PROBE_S, ANSWER_S = 2.0, 5.0
"""Voila is probed every 2 s, and has 5 s for its answer."""
IDLE_PROBES, SILENT_PROBES = 2, 6
"""Voila hangs when it stood still through two consecutive probes that it did not answer, or answered none of six:
one that works, or waits for its turn on a busy computer, is late, and to end it would end every page."""
MOST_RESTARTS = 5
PATH = re.compile(r"[A-Za-z0-9/._~%@-]*")
"""Path of a proxy's address."""
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """Where a proxy, such as that of a JupyterHub, serves the dashboard to browsers.

    Attributes
    ----------
    origin : scheme and host, as ``"https://HUB"``.
    host : the ``Host`` header of requests that come through it.
    path : prefix of all paths, with a slash at both ends.
    """

    origin: str
    host: str
    path: str

    @classmethod
    def parse(cls, url: str) -> ProxyAddress:
        """Take a URL apart.

        Raises
        ------
        BadValue
            When it is not an http or https address with a host, or has more than host and path.
        """
        try:
            parts = urllib.parse.urlsplit(url.strip())
            sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and url.isascii()
        except ValueError:
            sound = False
        if not sound or parts.query or parts.fragment or "@" in parts.netloc or not PATH.fullmatch(parts.path):
            raise BadValue(Message("page.url", got=f"{url!a:.80}"))
        path = "/".join(["", *filter(None, parts.path.split("/")), ""])
        return cls(f"{parts.scheme}://{parts.netloc}", parts.netloc, path)


class Dashboard:
    """A running dashboard: Voila, watched, and started again when it ends or stops answering.

    Parameters
    ----------
    launch : starts Voila and returns its process.
    token, port : of the server; both outlive a restart, so that open pages find it again.
    log : output of Voila.
    redirect : the file that hands the token to a browser.
    proxy : under which browsers reach it, None for directly.

    Attributes
    ----------
    url : address with its token.
    process : the present Voila process.
    restarts : how often it was started again.
    silent : consecutive probes that it has not answered.
    """

    def __init__(
        self,
        launch: Callable[[], subprocess.Popen[bytes]],
        *,
        token: str,
        port: int,
        log: Path,
        redirect: Path,
        proxy: ProxyAddress | None = None,
    ) -> None:
        address = f"http://{HOST}:{port}/" if proxy is None else f"{proxy.origin}{proxy.path}"
        self.url = f"{address}?token={token}"
        self.token, self.port, self.log, self.redirect = token, port, log, redirect
        self.restarts = self.silent = 0
        self._launch = launch
        self.process = launch()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="workbench-dashboard", daemon=True)

    def watch(self) -> None:
        """Start watching; called once the server answered for the first time."""
        self._watcher.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End Voila and its kernels. The engine of the session continues."""
        self._ended.set()
        if self._watcher.is_alive():
            self._watcher.join(timeout)
        self.redirect.unlink(missing_ok=True)
        _end(self.process, timeout)

    def wait(self) -> int:
        """Wait until the dashboard ends for good; its exit code."""
        while not self._ended.wait(1.0):
            pass
        return self.process.wait()

    def _watch(self) -> None:
        """Voila serves each page from one loop: when that hangs, every page has lost its STOP."""
        idle, used = 0, 0.0
        while not self._ended.wait(PROBE_S):
            ended = self.process.poll() is not None
            if not ended:
                answered, before, used = _answers(self.port, timeout=ANSWER_S), used, _processor_time(self.process)
                self.silent = 0 if answered else self.silent + 1
                idle = 0 if answered or used > before else idle + 1
                if idle < IDLE_PROBES and self.silent < SILENT_PROBES:
                    continue
            # Exit 0 is an end that somebody asked for; too many restarts mean that starting again does not help.
            if ended and self.process.returncode == 0 or self.restarts >= MOST_RESTARTS:
                self._ended.set()
                return
            _end(self.process, 0.0)
            self.restarts += 1
            self.silent, idle, used = 0, 0, 0.0
            self.process = self._launch()
            with suppress(EngineFault):  # The next probe finds it out.
                _wait_until_ready(self)


def notebook_path(name: str = "session") -> Path:
    """The dashboard notebook of that name, from the installed package or from the repository."""
    places = [HERE.parent / "notebooks" / "dashboards", HERE.parents[1] / "notebooks" / "dashboards"]
    for place in places:
        if (place / f"{name}.ipynb").is_file():
            return place / f"{name}.ipynb"
    raise BadValue(Message("page.no_dashboard", name=repr(name), places=" and ".join(map(str, places))))


CLINIC = "WORKBENCH_CLINIC"
"""Variable that names the socket of a study's service to a page (Clinic mode)."""


def environment(study: Path, *, token: str, port: int, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of Voila and its kernels: the package's own template first, the study, and the secrets.

    Other accounts of a computer can read a command line, but not an environment.

    Parameters
    ----------
    study : folder that the pages open, or the socket of its service.
    token : that a browser has to bring.
    port : on which Voila listens.
    base : environment that it extends, by default that of this process.
    """
    env = dict(os.environ if base is None else base)
    earlier = env.get("JUPYTER_PATH")
    env["JUPYTER_PATH"] = os.pathsep.join([str(HERE), *([earlier] if earlier else [])])
    # One of the two: a page that knew both might open what it should ask for.
    env.pop(CLINIC, None)
    env[CLINIC if study.is_socket() else "WORKBENCH_STUDY"] = str(study)
    env["JUPYTER_TOKEN"] = token
    return env | _tickets.environment(host=HOST, port=port)


def command(notebook: Path, *, port: int, proxy: ProxyAddress | None = None) -> list[str]:
    """The command line of Voila, with every setting that locks the dashboard down, and without the token.

    Parameters
    ----------
    notebook : that is shown.
    port : on which Voila listens, on this computer alone.
    proxy : under which browsers reach it, None for directly.
    """
    # Pages request paths with the prefix; the guard strips it, so that Voila always serves the same paths.
    behind = (
        []
        if proxy is None
        else [
            f"--Voila.base_url={proxy.path}",
            "--Voila.server_url=/",
            f"--GuardedVoila.proxy_host={proxy.host}",
        ]
    )
    return [
        sys.executable,
        "-m",
        "workbench.widgets.guarded",
        str(notebook),
        f"--port={port}",
        "--no-browser",
        f"--template={TEMPLATE}",
        f"--Voila.ip={HOST}",
        "--Voila.port_retries=0",
        "--Voila.auto_token=True",
        "--VoilaConfiguration.show_tracebacks=False",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.allow_theme_override=NO",
        "--VoilaConfiguration.file_denylist=.*",
        *(f"--VoilaConfiguration.extension_allowlist={name}" for name in EXTENSIONS),
        f"--MappingKernelManager.cull_idle_timeout={CULL_S}",
        f"--MappingKernelManager.cull_interval={CULL_S // 4}",
        "--MappingKernelManager.cull_connected=False",
        *behind,
    ]


def serve(
    study_folder: str | Path,
    *,
    port: int = 0,
    token: str = "",
    open_browser: bool = True,
    dashboard: str = "session",
    proxy: ProxyAddress | None = None,
) -> Dashboard:
    """Start the dashboard of a study and return as soon as it answers.

    Parameters
    ----------
    study_folder : of the study that is shown, or the socket of its service (Clinic mode).
    port : 0 takes a free one.
    token : ``""`` makes a new one.
    open_browser : whether to open the address in the browser of this computer.
    dashboard : name of the notebook in ``notebooks/dashboards``.
    proxy : under which a proxy on this computer serves it; it still listens on this computer alone.

    Raises
    ------
    BadValue
        No such folder, socket or dashboard.
    EngineFault
        When Voila ends or does not answer; the text names its log.
    """
    study, folder = _places(study_folder)
    notebook = notebook_path(dashboard)
    port, token = port or _free_port(), token or secrets.token_urlsafe(24)
    logs = folder / "engine"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = logs / "dashboard.log"

    def launch() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                command(notebook, port=port, proxy=proxy),
                env=environment(study, token=token, port=port),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    redirect = logs / f"open-{port}.html"
    started = Dashboard(launch, token=token, port=port, log=log, redirect=redirect, proxy=proxy)
    try:
        _wait_until_ready(started)
    except (EngineFault, KeyboardInterrupt):
        started.stop()
        raise
    started.watch()
    if open_browser:
        import webbrowser

        webbrowser.open(hand_over(started).as_uri())
    return started


def _places(study_folder: str | Path) -> tuple[Path, Path]:
    """What is shown, a study folder or the socket of a service, and the folder of what a dashboard leaves."""
    study = Path(study_folder).absolute()
    if not (study.is_dir() or study.is_socket()):
        raise BadValue(Message("page.no_study", folder=str(study)))
    # Behind a service the study folder is another account's: what the pages leave lies with who looks at them.
    return study, study if study.is_dir() else own_folder()


def own_folder() -> Path:
    """Folder of this account for what a dashboard in Clinic mode leaves: its log, and no data of a study."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "workbench"


def hand_over(dashboard: Dashboard) -> Path:
    """A page that leads a browser to the dashboard, readable by this account alone.

    A browser gets the address as an argument, and every account of the computer can read arguments. So the
    argument is the address of this file, and the token is inside it.
    """
    dashboard.redirect.unlink(missing_ok=True)
    # O_EXCL with 0600: not a file that another account has put there to read along.
    handle = os.open(dashboard.redirect, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(
            '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f"<title>workbench</title><script>location.replace({json.dumps(dashboard.url)})</script>"
        )
    return dashboard.redirect


def _processor_time(process: subprocess.Popen[bytes]) -> float:
    """Seconds of processor time that a process has used; 0.0 once it is gone."""
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _end(process: subprocess.Popen[bytes], timeout: float) -> None:
    if timeout > 0:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
            return
    process.kill()
    process.wait(10.0)


def _free_port() -> int:
    with socket.socket() as probe:
        # Port 0 lets the system choose; Voila itself takes no port 0 because the address must be known before.
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(dashboard: Dashboard) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if dashboard.process.poll() is not None:
            raise EngineFault(Message("page.ended", n=str(dashboard.process.returncode), log=str(dashboard.log)))
        if _answers(dashboard.port):
            return
        time.sleep(0.1)
    raise EngineFault(Message("page.silent", n=f"{READY_S:.0f}", log=str(dashboard.log)))


def _answers(port: int, *, timeout: float = 1.0) -> bool:
    """Whether the server answers. The probe requests an asset, which starts no kernel."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/static/favicon.ico", timeout=timeout):
            return True
    # An error status is an answer too: the server lives.
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except (urllib.error.URLError, OSError):
        return False
