"""`workbench pair`: a study and an effector on another computer. A pairing code is never an argument."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import add_study
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand
from workbench.errors import Refused


def _add_effector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("effector", metavar="EFFECTOR", help="name of the effector profile, as glove")


def _add_engine(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    _add_effector(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the pairing, as 'pair engine' prints it")
    _add_effector(parser)


def _code(_arguments: argparse.Namespace) -> int:
    from workbench import devices

    print(devices.new_pairing_code())
    return 0


def _engine(arguments: argparse.Namespace) -> int:
    from workbench import control, devices, live
    from workbench.study import Study

    control.load(arguments.effector)
    Study.open(arguments.study, actor="command line").close()
    # A new key during a session would cut the device off from the engine that controls it.
    if live.find(arguments.study) is not None:
        raise Refused(
            f"a session runs in {arguments.study}, and its device follows the pairing that it has; end the "
            f"session with 'workbench end {arguments.study}', then pair"
        )
    name = devices.pairing_name(arguments.study, arguments.effector)
    paired = devices.pair_by_code(name, arguments.effector, ask_secret("Pairing code"))
    print(f"paired, link {paired.link_id}")
    print(
        f"at the computer of the effector: 'workbench pair device {name} {arguments.effector}' with the same "
        "code; it must print the same link"
    )
    return 0


def _device(arguments: argparse.Namespace) -> int:
    from workbench import control, devices

    control.load(arguments.effector)
    paired = devices.pair_by_code(arguments.name, arguments.effector, ask_secret("Pairing code"))
    print(f"paired, link {paired.link_id}")
    print(f"the computer of the study must print the same link; give the effector the key file {paired.path}")
    return 0


COMMAND = Subcommand(
    name="pair",
    help="pair a study with an effector on another computer: code, engine, device",
    description="Pair the engine of a study with an effector on another computer. 'pair code' prints a code; "
    "it is typed at both computers within a quarter of an hour, after which both print the same link.",
    actions=(
        Subcommand("code", "print a new code, to be typed at both computers", _code),
        Subcommand("engine", "on the computer of the study: type the code", _engine, _add_engine),
        Subcommand("device", "on the computer of the effector: type the code", _device, _add_device),
    ),
)
