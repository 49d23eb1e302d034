"""The report of one session: facts from the record → blocks → HTML and PDF → registered in the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench import __version__, world
from workbench.errors import RecordFault, Refused
from workbench.figures import chinese_font
from workbench.messages import Message
from workbench.reports import _closing, _facts, _page_one, _sections, html, pdf
from workbench.reports._ledger import ledger
from workbench.reports._results import results
from workbench.reports._say import Say
from workbench.reports._stimulation import stimulation
from workbench.reports.blocks import Block, Document
from workbench.reports.texts import Texts
from workbench.vocabulary import Report, ReportPart

if TYPE_CHECKING:
    from workbench.study import Study

_MADE_WITH = ("matplotlib", "typst")


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report.

    Attributes
    ----------
    html, pdf : the files.
    html_sha256, pdf_sha256 : their SHA-256, as registered in the record.
    head_seq, head_hash : data cut of the report, the entry of the audit chain it prints.
    """

    html: Path
    pdf: Path
    html_sha256: str
    pdf_sha256: str
    head_seq: int
    head_hash: str


def session_report(
    study: Study, *, language: str = "en", out_folder: Path | str | None = None, session_id: str | None = None
) -> ReportFiles:
    """Write the report of a session as HTML and PDF and register both in the record.

    The same record and the same software give the same bytes. A report is registered once.

    Parameters
    ----------
    study : an open study record.
    language : ``"en"`` or ``"zh-CN"``.
    out_folder : where to write, the study's ``reports`` folder by default.
    session_id : which session, the newest by default.

    Raises
    ------
    UnknownName
        For another language, or a session that is not in the record.
    Refused
        When the PDF contains Chinese text and no Chinese font is installed.
    RecordFault
        When the folder cannot be written.
    """
    t = Texts(language)
    # Before the record is read and figures are drawn: without the font all of that would be in vain.
    if language == "zh-CN" and chinese_font() is None:
        raise Refused(pdf.missing_face(t("limits_research")))
    facts = _facts.read(study, session_id=session_id)
    document = session_document(facts, t)
    # Both rendered before either is written: a failing PDF leaves no report half issued.
    contents = {"html": html.render(document).encode("utf-8"), "pdf": pdf.render(document)}
    folder = Path(out_folder) if out_folder is not None else study.folder / "reports"
    session = str(facts.session["id"])[-8:] if facts.session else "none"
    written: dict[str, tuple[Path, str]] = {}
    for kind, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        # The hash is part of the name: a report of other content never replaces one that was handed out.
        path = folder / f"session-{session}-{language}-{facts.cut.seq}-{digest[:8]}.{kind}"
        write(path, content)
        session_id = str(facts.session["id"]) if facts.session else ""
        parameters = {"language": language, "format": kind, "session_id": session_id}
        register(study, facts.cut, path, digest, kind="session", parameters=parameters)
        written[kind] = path, digest
    (html_path, html_sha), (pdf_path, pdf_sha) = written["html"], written["pdf"]
    return ReportFiles(html_path, pdf_path, html_sha, pdf_sha, facts.cut.seq, facts.cut.hash)


_PARTS: tuple[tuple[ReportPart | Literal[""], Callable[[Say], Sequence[Block]]], ...] = (
    ("", _page_one.simulated),
    ("", _page_one.consent),
    ("", _page_one.procedures),
    ("", _page_one.alerts),
    ("", _page_one.results),
    ("rates", _page_one.rates),
    ("", _page_one.remarks),
    ("", _closing.provenance),
    ("", _closing.signatures),
    ("", _sections.identity),
    ("", _sections.runs),
    ("", stimulation),
    ("decoder", _sections.decoder),
    ("trials", _sections.trials),
    ("latency", _sections.latency),
    ("", ledger),
    ("assessments", _closing.assessments),
    ("", _closing.sources),
    ("", _closing.limits),
)
"""The parts of a report in their order. One with a name is shown where the session's system asks for it, and for a
session without a system; what says where numbers come from, what was lost and who signed is never left out."""


def session_document(facts: _facts.Facts, t: Texts) -> Document:
    """The report as blocks, ready for a renderer."""
    made_with = " · ".join([f"workbench {__version__}", *(f"{name} {version(name)}" for name in _MADE_WITH)])
    say = Say(facts, t, results(facts), made_with)
    asked = (facts.session or {}).get("plan", {}).get("report")
    blocks: list[Block] = [
        block for name, part in _PARTS if not name or asked is None or name in asked for block in part(say)
    ]
    return Document(
        title=_page_one.title(say),
        lead=_page_one.finding(say),
        language=t.language,
        head_left=_head(facts, t),
        head_right=t("draft_simulated" if facts.simulated else "draft_replayed" if facts.replayed else "draft"),
        foot=t("foot", seq=facts.cut.seq),
        page=t.raw("page"),
        cut=facts.cut.utc,
        blocks=tuple(blocks),
    )


def _head(facts: _facts.Facts, t: Texts) -> str:
    """The head of every page: whose report it is, so that a loose sheet can be identified."""
    names = [str(facts.study["code"])]
    if facts.participant and facts.visit:
        names += [str(facts.participant["pseudonym"]), str(facts.visit["name"])]
    return t("head_left", study=" · ".join(names))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises RecordFault."""
    try:
        world.disk.mkdir(path.parent, mode=0o777, parents=True, exist_ok=True)
        # A report is handed out: others may read it, as far as the account allows that for new files.
        world.disk.save(path, content, mode=0o666)
    except OSError as error:
        raise RecordFault(
            Message("report.not_written", folder=str(path.parent), why=str(error.strerror))
        ) from error


def register(
    study: Study, cut: _facts.Cut, path: Path, digest: str, *, kind: str, parameters: Mapping[str, Any]
) -> None:
    """Append a report to the record unless this file is registered already.

    Parameters
    ----------
    study : the open record.
    cut : data cut of the report.
    path, digest : the file that was written, and its SHA-256.
    kind : of the report.
    parameters : what it was made with.
    """
    inside = path.resolve().is_relative_to(study.folder.resolve())
    stored = path.resolve().relative_to(study.folder.resolve()).as_posix() if inside else path.name
    if study.rows("report", sha256=digest, path=stored):
        return
    study.append(
        Report(
            kind=kind, path=stored, sha256=digest, head_seq=cut.seq, head_hash=cut.hash, parameters=parameters
        ),
        reason="report issued",
    )  # fmt: skip
