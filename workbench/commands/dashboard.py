"""`workbench dashboard STUDY`: the live session for clinicians, in a browser."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from workbench.commands._arguments import integer, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

SHOWS = ("session", "assessments", "presenter", "mapping", "home")
OF_A_FOLDER = {
    "presenter": "--show presenter needs the folder of the study, where its engine runs; a service has none",
    "mapping": "--show mapping needs the folder of the study; a service maps no contacts",
    "home": "--show home needs the folder of the study, where its engine runs; a service has none",
}
"""What a service cannot show, and why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, what is shown, and where it is served."""
    parser.add_argument(
        "study",
        type=Path,
        metavar="STUDY",
        help="folder of the study, or the socket of its service (docs/clinic_mode.md)",
    )
    parser.add_argument("--port", type=integer, default=0, metavar="N", help="default: any free port")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument("--show", choices=SHOWS, default="session", help="what it shows (default: %(default)s)")
    parser.add_argument(
        "--url",
        type=nonblank,
        metavar="URL",
        help="address under which a proxy on this computer serves it, as a JupyterHub does: "
        "https://HUB/user/NAME/proxy/PORT/; give --port too",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve it until it is ended."""
    from workbench.study import Study
    from workbench.widgets.dashboard import ProxyAddress, serve

    if not 0 <= arguments.port <= 65535:
        raise BadValue(f"--port must be from 1 to 65535, or 0 for any free one; got {arguments.port}")
    proxy = None if arguments.url is None else ProxyAddress.parse(arguments.url)
    # A free port would differ at every start, and the proxy's rule names one.
    if proxy is not None and not arguments.port:
        raise BadValue("--url needs --port N too: the proxy must know at which port the dashboard answers")
    # What is damaged, missing or not served is refused here, in the terminal, rather than on an empty page.
    if arguments.study.is_socket():
        _refuse_unserved(arguments.study, arguments.show)
    else:
        Study.open(arguments.study, actor="command line").close()
    dashboard = serve(
        arguments.study,
        port=arguments.port,
        # Behind a proxy the browser runs on another computer.
        open_browser=not arguments.no_browser and proxy is None,
        dashboard=arguments.show,
        proxy=proxy,
    )
    print(f"Dashboard  {dashboard.url}")
    print("Ctrl+C ends the dashboard; a session that runs continues", flush=True)
    try:
        return dashboard.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        dashboard.stop()


def _refuse_unserved(socket: Path, show: str) -> None:
    """Refuse a socket at which nobody answers, and a page that a service has nothing for."""
    from workbench.clinic import Client, questions
    from workbench.errors import Refused

    if show in OF_A_FOLDER:
        raise BadValue(OF_A_FOLDER[show])
    with Client(socket) as client, suppress(Refused):
        # It answers that nobody is signed in, or not at all.
        client.ask(questions.WhoAmI())


COMMAND = Subcommand(
    name="dashboard",
    help="serve the session dashboard of a study on this computer",
    run=run,
    arguments=add_arguments,
)
