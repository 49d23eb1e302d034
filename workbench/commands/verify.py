"""`workbench verify STUDY`: whether the record is intact. Exit 0: it is; 1: something differs; 2: unknown."""

from __future__ import annotations

import argparse

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_heads, add_json, add_study, given_heads
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and heads of its chain that were stored elsewhere."""
    add_study(parser)
    add_heads(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Verify the record and print what is wrong."""
    from workbench.study import verify as check

    known = given_heads(arguments)
    verification = check(arguments.study, known=known, copies=arguments.anchors)
    if arguments.json:
        print(as_json("verify", verification.to_json(), ok=verification.ok))
    else:
        print(verification.text())
    return 0 if verification.ok else EXIT_DIFFERS


COMMAND = Subcommand(
    name="verify",
    help="check the audit chain, the tables and the files of a study",
    run=run,
    arguments=add_arguments,
    description="Check the audit chain and its signatures, the tables, recordings, decoders, reports and "
    "session ledgers of a study. Exit 0: all intact. 1: something differs or is damaged. 2: it could not be "
    "determined, because the record is held by another process or cannot be read.",
)
