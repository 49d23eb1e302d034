"""`workbench sign STUDY REPORT`: approve the report of a trial by a signature in the record."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench import reading
from workbench.commands._arguments import add_study, nonblank
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the report, and who signs it as whom."""
    add_study(parser)
    parser.add_argument("report", type=Path, metavar="REPORT", help="a file that 'workbench report --kind' wrote")
    parser.add_argument(
        "--as", dest="login", type=nonblank, metavar="LOGIN", required=True,
        help="who signs; the password is asked for, or read as a line of input",
    )  # fmt: skip
    parser.add_argument("--role", required=True, metavar="ROLE", help="as whom: investigator or statistician")


def run(arguments: argparse.Namespace) -> int:
    """Sign it and say what is still missing."""
    from workbench.reports import signing
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        password = ask_secret(f"Password of {arguments.login}")
        signer = study.sign_in(arguments.login, password)
        draft = signing.sign_report(study, arguments.report, signer, arguments.role, password=password)
        still = ", ".join(signing.missing(signing.on_draft(study, draft))) or "nobody"
    print(f"{signer.name} signed {reading.shown(arguments.report)}  {draft}")
    print(f"still to sign: {still}; the same 'workbench report' again writes the signed issue")
    return 0


COMMAND = Subcommand(
    name="sign",
    help="approve the report of a trial by a signature in the record",
    run=run,
    arguments=add_arguments,
    description="Signs the draft of a report of a trial, in all formats in which it was written. When the report "
    "is made again it is the same but for its signatures, which then stand in it.",
)
