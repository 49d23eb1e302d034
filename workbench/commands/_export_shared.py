"""The forms of `workbench export` that are made for others to work with: datasets, FHIR, BIDS.

They ask for the consent that they need, keep the arm from whom it is kept, and name people by pseudonym alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands._secret import ask_secret
from workbench.errors import BadValue, RecordFault

if TYPE_CHECKING:
    from workbench.exchange.datasets import Release
    from workbench.study import Study
    from workbench.study.protocol import Protocol

FOLDERS = {
    "dataset-json": "CDISC Dataset-JSON 1.1, a file for each dataset of the record",
    "xpt": "the same datasets as SAS transport files, version 5",
    "parquet": "the same datasets as Parquet",
    "bids": "BIDS 1.11, recordings with channels, events and participants",
}
"""Forms that are a folder."""
FILES = {
    "fhir-r5": "HL7 FHIR R5, the study and who takes part, without identity",
    "fhir-r4": "the same in the older edition",
}
FORMS = FOLDERS | FILES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add for whom the export is made."""
    forms = ", ".join(FORMS)
    parser.add_argument(
        "--as", dest="login", metavar="LOGIN", help=f"of {forms}: for whom it is made; the password is asked for"
    )
    parser.add_argument(
        "--arms",
        action="store_true",
        help="of datasets and FHIR: with each participant's arm; readings are logged",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why arms are read, for the record")


def check(arguments: argparse.Namespace) -> None:
    """Refuse options that the form does not have. Raises BadValue."""
    if arguments.form not in FORMS and (arguments.login or arguments.arms or arguments.reason):
        raise BadValue(f"--as, --arms and --reason go with --form {', '.join(FORMS)}; {arguments.form} has none")
    if arguments.form == "bids" and arguments.arms:
        raise BadValue("--arms goes with datasets and FHIR; a folder of recordings names no arm")


def make(study: Study, arguments: argparse.Namespace, protocol: Callable[[], Protocol]) -> list[str]:
    """Write the export; returns what is printed about it.

    Parameters
    ----------
    study : the open record.
    arguments : of the command.
    protocol : gives the newest version of the protocol.

    Raises
    ------
    WorkbenchError
        As the form has it; then nothing was written.
    """
    from workbench.exchange import bids, datasets

    login, out = arguments.login, arguments.out
    if os.path.lexists(out):
        raise RecordFault(f"{out} exists already; name another, an export is never replaced")
    signer = study.sign_in(login, ask_secret(f"Password of {login}")) if login else None
    purposes = bids.NEEDS if arguments.form == "bids" else datasets.SHARING
    given = datasets.release(
        study, purposes=purposes, signer=signer, with_arms=arguments.arms, reason=arguments.reason
    )
    made = {"bids": _bids, **dict.fromkeys(FILES, _fhir)}.get(arguments.form, _datasets)
    lines = made(given, arguments.form, out, protocol)
    return [f"{out}: {lines[0]}", *map(str, given.remarks()), *lines[1:]]


def _datasets(given: Release, form: str, out: Path, _protocol: Callable[[], Protocol]) -> list[str]:
    from workbench.exchange import datasets

    found = datasets.datasets(given)
    files = datasets.files_of(found, form, given)

    def fill(folder: Path) -> None:
        for name, data in files.items():
            (folder / name).write_bytes(data)

    write_folder(out, fill)
    return [", ".join(f"{len(one.rows)} rows of {one.name}" for one in found)]


def _fhir(given: Release, form: str, out: Path, protocol: Callable[[], Protocol]) -> list[str]:
    from workbench.commands.export import write_new
    from workbench.exchange import fhir

    made = fhir.bundle(given, protocol(), form.removeprefix("fhir-"))  # type: ignore[arg-type]
    write_new(out, made.data)
    return [f"1 study, {made.subjects} research subjects"]


def _bids(given: Release, _form: str, out: Path, _protocol: Callable[[], Protocol]) -> list[str]:
    from workbench.exchange import bids

    found = []
    write_folder(out, lambda folder: found.append(bids.write(given, folder)))
    (made,) = found
    return [f"{made.recordings} recordings of {made.participants} participants", *map(str, made.skipped)]


def write_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """Make a folder that is not there yet, whole or not at all.

    Parameters
    ----------
    path : of the folder.
    fill : writes into the empty folder that it is given.

    Raises
    ------
    RecordFault
        Where the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.mkdir()
        try:
            fill(part)
            part.rename(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise RecordFault(f"--out {path} cannot be written ({error.strerror}); name another folder") from error
