"""The report of the results that a page shows: written, and signed by two people one after the other.

It is the report of ``workbench report`` with the results of ``workbench analyse``, byte by byte, and ``workbench
sign`` may give the second signature as well as the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from workbench import estimation, reading, world
from workbench.errors import Refused
from workbench.messages import Message
from workbench.reports import signing, trial_report

if TYPE_CHECKING:
    from workbench.dashboard.access import RecordAccess
    from workbench.estimation import Analysed
    from workbench.study import Signer, Study

Signing = Literal["password", "script", "nobody"]
FORMATS: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
"""The one that is read and signed, and the one that is handed on."""
LARGEST = 64 * 2**20
"""Of a report that is read on the page, bytes."""
REASON = "results page"


def how(record: RecordAccess, study: Study) -> Signing:
    """How a report is signed: by people, by scripts where nobody is real, or not while nobody can sign in.

    Parameters
    ----------
    record, study : as the page has it, open.
    """
    if record.takes_sign_in():
        return "password"
    people = study.rows("participant")
    return "script" if people and all(row["simulated"] for row in people) else "nobody"


def written(
    study: Study, made: Analysed, reader: Signer | None, language: str, *,
    progress: Callable[[int, int, str], None],
) -> dict[str, Any]:  # fmt: skip
    """Write the report of an analysis, with the signatures that its draft has by now.

    Parameters
    ----------
    study : the open record.
    made : what was analysed.
    reader : who learns the arms.
    language : ``"en"`` or ``"zh-CN"``.
    progress : told the number of each step, of how many, and its name.

    Returns
    -------
    dict
        ``{"kind", "language", "snapshot", "draft", "files", "signed", "missing"}``: ``files`` with format, path
        from the study folder and SHA-256, ``draft`` the SHA-256 that is signed, ``signed`` with role, name, time.
    """
    cut = made.results.snapshot
    # Files that hold every score stay no longer than it takes: 'workbench analyse' makes the same ones again.
    folder = world.disk.temporary("workbench-results-")
    kind: Literal["final", "interim"] = "final" if cut["level"] == "hard" else "interim"
    try:
        estimation.write(made, folder)
        report = trial_report(
            study, kind, snapshot=str(cut["name"]), reader=reader, reason=REASON, language=language,
            formats=FORMATS, results=folder, progress=progress,
        )  # fmt: skip
    finally:
        world.disk.rmtree(folder)
    signed = signing.on_draft(study, report.drafts["html"])
    roles = {meaning: role for role, meaning in signing.MEANINGS.items()}
    return {
        "kind": kind, "language": language, "snapshot": cut["name"],
        "draft": report.drafts["html"],
        "files": [
            {"format": name, "path": path.relative_to(study.folder).as_posix(), "sha256": sha256}
            for name, (path, sha256) in report.files.items()
        ],
        "signed": [{"role": roles[one["meaning"]], "name": one["signer"], "utc": one["utc"]} for one in signed],
        "missing": list(signing.missing(signed)),
    }  # fmt: skip


def sign(study: Study, draft: str, role: str, way: Signing, *, login: str, password: str) -> None:
    """Sign a draft that was written here.

    Parameters
    ----------
    study : the open record.
    draft : SHA-256 of its file.
    role : as whom.
    way : of :func:`how`.
    login, password : of who signs, where it is a person.

    Raises
    ------
    Refused, BadValue
        As :func:`workbench.reports.signing.sign_report`; a sign-in that is refused, or nobody who can sign in.
    """
    if way == "nobody":
        raise Refused(Message("visit.nobody_can_sign_in"))
    row = study.rows("report", sha256=draft)[-1]
    signer = study.sign_in(login, password) if way == "password" else study.script_signer(f"script, {role}")
    signing.sign_report(study, study.folder / row["path"], signer, role, password=password)


def page_of(study: Study, report: dict[str, Any]) -> str:
    """A report that was written here, as one HTML page.

    Parameters
    ----------
    study : the open record.
    report : as :func:`written` gives it.
    """
    path = next(one["path"] for one in report["files"] if one["format"] == "html")
    return reading.read_text(study.folder / path, Message("report.sign_noun"), largest=LARGEST)
