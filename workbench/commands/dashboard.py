"""`workbench dashboard STUDY`: the live session for clinicians, in a browser."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import add_study, integer, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

SHOWS = ("session", "assessments", "presenter")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, what is shown, and where it is served."""
    add_study(parser)
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
    # A damaged or missing study is refused here, in the terminal, rather than on an empty page.
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


COMMAND = Subcommand(
    name="dashboard",
    help="serve the session dashboard of a study on this computer",
    run=run,
    arguments=add_arguments,
)
