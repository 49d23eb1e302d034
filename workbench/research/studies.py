"""Opening a study to read it, and reporting on one."""

from __future__ import annotations

import getpass
import shutil
import tempfile
from pathlib import Path

from workbench.errors import RecordFault, Refused
from workbench.reports import ReportFiles, session_report
from workbench.study import Study


def open_study(path: Path | str) -> Study:
    """Open the study in a folder to read it: nothing can be written through what is returned.

    Its tables are DataFrames (``study.trials()``, ``study.assessments()``, ``study.outcomes()`` …).

    Raises
    ------
    RecordFault
        When the folder contains no study record, or one that cannot be read.
    """
    study = Study.open(path, actor="reader")
    if not study.read_only:
        # Set after opening: the record itself may be writable, but not through this object.
        study.read_only = (
            f"{study.path} is open for reading only (wb.open_study); to write, open it in your name with "
            "Study.open(folder, actor=…)"
        )
    return study


def sample_study() -> Path:
    """A copy of the sample study in a temporary folder; all of it is simulated. Returns the folder.

    Raises
    ------
    RecordFault
        When the package was installed without its samples.
    """
    return Path(shutil.copytree(_sample("study"), Path(tempfile.mkdtemp()) / "study"))


def sample_protocol() -> Path:
    """The example of a protocol file; the study, its sponsor and its numbers are invented. Returns the file.

    Raises
    ------
    RecordFault
        When the package was installed without its samples.
    """
    return _sample("protocol_neo_hand.toml")


def _sample(name: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    # Inside an installed package, or beside it in a checkout.
    for home in (package, package.parent):
        if (home / "data_samples" / name).exists():
            return home / "data_samples" / name
    raise RecordFault(f"the sample {name} is not beside {package}; install the package again")


def report(
    study: Study | Path | str,
    *,
    language: str = "en",
    session_id: str | None = None,
    out_folder: Path | str | None = None,
) -> ReportFiles:
    """Write the report of a session as HTML and PDF and enter it in the record.

    Parameters
    ----------
    study : the study folder, or a study that is open for writing.
    language : ``"en"`` or ``"zh-CN"``.
    session_id : which session, the newest by default.
    out_folder : where to write, the study's ``reports`` folder by default.

    Raises
    ------
    Refused
        For a study that is open for reading only: an issued report is entered in the record.
    UnknownName, RecordFault
        As :func:`workbench.reports.session_report`.
    """
    if not isinstance(study, Study):
        # A report is an entry in the audit trail, so it carries the name of whoever is signed in.
        with Study.open(study, actor=getpass.getuser()) as opened:
            return report(opened, language=language, session_id=session_id, out_folder=out_folder)
    if study.read_only:
        raise Refused(
            f"a report is entered in the record, and {study.folder} is open for reading only; pass the folder: "
            "wb.report(study.folder)"
        )
    return session_report(study, language=language, session_id=session_id, out_folder=out_folder)
