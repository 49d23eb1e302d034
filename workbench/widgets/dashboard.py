"""One notebook as a dashboard: a standalone Voila that shows it and runs nothing else.

Standalone Voila drops ``execute_request``; Voila mounted inside a Jupyter server does not, so it is always
started by itself. It listens on 127.0.0.1 only, asks for a token, shows no traceback, takes neither template nor
theme from the address, serves one notebook, and ends kernels that nobody looks at.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import BadValue, EngineFault

HOST = "127.0.0.1"
TEMPLATE = "workbench"
CULL_S = 120
READY_S = 60.0
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard.

    Attributes
    ----------
    url : address with its token. token, port : of the server.
    process : the Voila process; :meth:`stop` ends it.
    log : what Voila says.
    """

    url: str
    token: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, timeout: float = 10.0) -> None:
        """End Voila and its kernels. The engine of the session goes on."""
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout)

    def wait(self) -> int:
        """Wait until the dashboard ends; its exit code."""
        return self.process.wait()


def notebook_path(name: str = "session") -> Path:
    """The dashboard notebook of that name, from the installed package or from the repository."""
    places = [HERE.parent / "notebooks" / "dashboards", HERE.parents[1] / "notebooks" / "dashboards"]
    for place in places:
        if (place / f"{name}.ipynb").is_file():
            return place / f"{name}.ipynb"
    raise BadValue(f"there is no dashboard {name!r}; looked in {' and '.join(map(str, places))}")


def environment(study_folder: Path, *, token: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of Voila and its kernels: the package's own template first, the study, and the token.

    Other accounts of a computer can read a command line, but not an environment.
    """
    env = dict(os.environ if base is None else base)
    earlier = env.get("JUPYTER_PATH")
    env["JUPYTER_PATH"] = os.pathsep.join([str(HERE), *([earlier] if earlier else [])])
    env["WORKBENCH_STUDY"] = str(study_folder)
    env["JUPYTER_TOKEN"] = token
    return env


def command(notebook: Path, *, port: int) -> list[str]:
    """The command line of Voila; every setting that keeps the dashboard closed is in it, the token is not."""
    return [
        sys.executable,
        "-m",
        "voila",
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
        f"--MappingKernelManager.cull_idle_timeout={CULL_S}",
        f"--MappingKernelManager.cull_interval={CULL_S // 4}",
        "--MappingKernelManager.cull_connected=False",
    ]


def serve(
    study_folder: str | Path,
    *,
    port: int = 0,
    token: str = "",
    open_browser: bool = True,
    dashboard: str = "session",
) -> Dashboard:
    """Start the dashboard of a study and return as soon as it answers.

    Parameters
    ----------
    study_folder : of the study that is shown.
    port : 0 takes a free one.
    token : ``""`` makes a new one.
    open_browser : whether to open the address in the browser of this computer.
    dashboard : name of the notebook in ``notebooks/dashboards``.

    Raises
    ------
    BadValue
        No such folder or dashboard.
    EngineFault
        When Voila ends or does not answer; the text names its log.
    """
    folder = Path(study_folder).absolute()
    if not folder.is_dir():
        raise BadValue(f"study folder {folder} does not exist; create the study first, or check the path")
    notebook = notebook_path(dashboard)
    port, token = port or _free_port(), token or secrets.token_urlsafe(24)
    logs = folder / "engine"
    logs.mkdir(mode=0o700, exist_ok=True)
    log = logs / "dashboard.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command(notebook, port=port),
            env=environment(folder, token=token),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    made = Dashboard(f"http://{HOST}:{port}/?token={token}", token, port, process, log)
    try:
        _wait_until_ready(made)
    except (EngineFault, KeyboardInterrupt):
        made.stop()
        raise
    if open_browser:
        import webbrowser

        webbrowser.open(made.url)
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(made: Dashboard) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if made.process.poll() is not None:
            raise EngineFault(f"the dashboard ended at once (exit {made.process.returncode}); see {made.log}")
        if _answers(made.port):
            return
        time.sleep(0.1)
    raise EngineFault(f"the dashboard did not answer within {READY_S:.0f} s; see {made.log}")


def _answers(port: int) -> bool:
    """Whether the server takes connections. It is asked for an asset, which starts no kernel."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/static/favicon.ico", timeout=1.0):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except (urllib.error.URLError, OSError):
        return False
