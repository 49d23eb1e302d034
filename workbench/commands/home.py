"""`workbench home`: what was recorded at home, on its way to the site, and the site's look at it."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_study, nonblank, participant_named
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.study import Signer, Study


def _add_box(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("box", type=Path, metavar="BOX", help="folder that home and site both reach")


def _add_signer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="login", type=nonblank, metavar="LOGIN",
        help="who enters it; the password is asked for. Left out, a script does, for simulated participants",
    )  # fmt: skip


def _add_receive(parser: argparse.ArgumentParser) -> None:
    _add_box(parser)
    parser.add_argument("--recipient", required=True, type=nonblank, metavar="NAME", help="who received it")
    _add_signer(parser)


def _add_settle(parser: argparse.ArgumentParser) -> None:
    _add_box(parser)
    parser.add_argument(
        "--site-key", required=True, type=nonblank, metavar="HEX", help="public key of the site's study"
    )
    _add_signer(parser)


def _add_look(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("participant", metavar="PSEUDONYM", help="of whom")
    add_json(parser)


def _signer(study: Study, login: str | None) -> Signer:
    return (
        study.sign_in(login, ask_secret(f"Password of {login}"))
        if login
        else study.script_signer(getpass.getuser())
    )


def _offer(arguments: argparse.Namespace) -> int:
    from workbench.runs import home_store
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        for parcel in home_store.offer(study, arguments.box):
            print(f"offered   {parcel.sha256}  {parcel.n_bytes} bytes  {parcel.name}")
    return 0


def _receive(arguments: argparse.Namespace) -> int:
    from workbench.runs import home_store
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        signer = _signer(study, arguments.login)
        for parcel in home_store.receive(study, arguments.box, recipient=arguments.recipient, signer=signer):
            print(f"received  {parcel.sha256}  {parcel.n_bytes} bytes  {parcel.participant}  {parcel.name}")
    return 0


def _settle(arguments: argparse.Namespace) -> int:
    from workbench.runs import home_store
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        signer = _signer(study, arguments.login)
        for sha256 in home_store.settle(study, arguments.box, site_key=arguments.site_key, signer=signer):
            print(f"receipt   {sha256}")
        print(f"files here that the site has: {len(home_store.received(study))}")
    return 0


def _look(arguments: argparse.Namespace) -> int:
    from workbench.runs import home_store
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        participant_named(study, arguments.participant)
    lines = home_store.looked_at(arguments.study, arguments.participant)
    made = home_store.recalibrations(arguments.study, arguments.participant)
    if arguments.json:
        print(as_json("home look", {"recordings": lines, "recalibrations": made}, ok=True))
        return 0
    for line in lines:
        use = f"{line['minutes']:.1f} min, active {line['active_s']:.0f} s"
        print(f"{line['started']}  {use}, {line['stops']} STOP, {line['faults']} faults, {line['state']}")
    days = {str(line["started"])[:10] for line in lines}
    hours = sum(float(line["minutes"]) for line in lines) / 60.0
    for one in made:
        figures = one["figures"]
        right, worse = (figures.get(name, ("", ""))[0] for name in ("least", "worse"))
        shown = f", {right} right, {worse} below the one before" if right else ""
        outcome = one["outcome"].replace("_", " ")
        print(f"{one['utc']}  decoder {one['decoder'][:12]} {outcome}{shown}; {one['reason']}")
    print(f"{len(lines)} recordings on {len(days)} days, {hours:.1f} h")
    return 0


COMMAND = Subcommand(
    name="home",
    help="what was recorded at home: offer it, receive it, settle receipts, look at it",
    actions=(
        Subcommand("offer", "at home: leave what has no receipt yet in the folder between", _offer, _add_box),
        Subcommand("receive", "at the site: keep it, enter it, sign receipts", _receive, _add_receive),
        Subcommand("settle", "at home: check the receipts and enter them", _settle, _add_settle),
        Subcommand("look", "at the site: what came from a home, read only", _look, _add_look),
    ),
)
