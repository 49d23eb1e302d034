"""The report of a trial: facts of the record or a snapshot → blocks → files, registered in the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench import __version__
from workbench.errors import BadValue, Refused
from workbench.figures import chinese_font
from workbench.messages import Message
from workbench.reports import (
    _trial_analyses,
    _trial_device,
    _trial_facts,
    _trial_flow,
    _trial_forms,
    _trial_integrity,
    _trial_outcomes,
    _trial_page_one,
    _trial_results,
    _trial_safety,
    html,
    pdf,
    signing,
)
from workbench.reports._programs import programs_sha256
from workbench.reports._trial_facts import Kind, TrialFacts, Wanted
from workbench.reports._trial_results import Analyses
from workbench.reports._trial_say import Signed, TrialSay
from workbench.reports.blocks import Block, Document
from workbench.reports.session import register, write
from workbench.reports.texts import Texts

if TYPE_CHECKING:
    from workbench.study import Signer, Study

Format = Literal["html", "pdf", "docx"]
FORMATS: tuple[Format, ...] = get_args(Format)
KINDS: tuple[Kind, ...] = get_args(Kind)
_MADE_WITH = ("matplotlib", "typst", "segno", "python-docx")


@dataclass(frozen=True, slots=True)
class TrialReport:
    """A report that was issued.

    Attributes
    ----------
    files : path and SHA-256 by format, as registered in the record.
    head_seq, head_hash : the data cut, which it prints.
    view : ``"open"``, ``"blinded"`` or ``"unblinded"``.
    drafts : SHA-256 by format of the draft that is signed: of the file itself until somebody has signed it.
    """

    files: dict[Format, tuple[Path, str]]
    head_seq: int
    head_hash: str
    view: str
    drafts: dict[Format, str]


Progress = Callable[[int, int, str], None]
"""Told the number of a step, of how many, and its name: ``"facts"``, then the format that is rendered."""


def trial_report(
    study: Study,
    kind: Kind,
    *,
    participant: str = "",
    snapshot: str = "",
    reader: Signer | None = None,
    reason: str = "",
    language: str = "en",
    formats: Collection[Format] = ("html", "pdf"),
    results: Path | str | None = None,
    progress: Progress = lambda _n, _of, _name: None,
) -> TrialReport:
    """Write a report of a trial into the study's folder ``reports`` and register it in the record.

    The same snapshot and the same software give the same bytes. Without a reader nothing of a study that
    randomises is read that differs between its arms.

    Parameters
    ----------
    study : the open record.
    kind : ``"participant"``, ``"interim"``, or ``"final"``, which takes a lock of the study.
    participant : pseudonym, of a report about one.
    snapshot : name of the snapshot that it is made of; ``""`` for the record as it is, of a final report for the
        snapshot of the newest lock.
    reader : who is to read the arms; each reading is an entry of the chain.
    reason : why, for the chain.
    language : ``"en"`` or ``"zh-CN"``.
    formats : of :data:`FORMATS`.
    results : folder that ``workbench analyse`` wrote of the same snapshot; None without estimates.
    progress : told each step before it begins.

    Raises
    ------
    BadValue
        A kind or format that is none, or a participant where none belongs or none is named.
    UnknownName
        No such participant, snapshot or language.
    Refused
        No lock for a final report, a changed snapshot, a reader who may not learn the arms, a missing font.
    RecordFault
        When the folder or the record cannot be written.
    """
    wanted = _checked(kind, participant, snapshot, formats)
    t = Texts(language)
    # Before the record is read and figures are drawn: without the font all of that would be in vain.
    if language == "zh-CN" and chinese_font() is None:
        raise Refused(pdf.missing_face(t("limits_research")))
    asked = [name for name in FORMATS if name in formats]
    progress(1, 1 + len(asked), "facts")
    facts = _trial_facts.read(study, wanted, reader=reader, reason=reason)
    analyses = analyses_of(facts, results)
    # All rendered before one is written: a failing one leaves no report half issued.
    contents: dict[Format, tuple[bytes, str]] = {}
    for n, name in enumerate(asked, start=2):
        progress(n, 1 + len(asked), name)
        contents[name] = _content(study, facts, t, analyses, name)
    issued = _issued(study, facts, t, analyses, contents)
    drafts = {name: contents[name][1] or digest for name, (_path, digest) in issued.items()}
    return TrialReport(issued, facts.cut.seq, facts.cut.hash, facts.view, drafts)


def _issued(
    study: Study, facts: TrialFacts, t: Texts, analyses: Analyses | None,
    contents: Mapping[Format, tuple[bytes, str]],
) -> dict[Format, tuple[Path, str]]:  # fmt: skip
    """Every file written and registered, with its SHA-256."""
    issued: dict[Format, tuple[Path, str]] = {}
    for name, (content, draft) in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        signed = "-signed" if draft else ""
        path = study.folder / "reports" / f"{_stem(facts, t.language)}{signed}-{digest[:8]}.{name}"
        write(path, content)
        made = _parameters(facts, t, analyses, name, draft)
        register(study, facts.cut, path, digest, kind=facts.wanted.kind, parameters=made)
        issued[name] = path, digest
    return issued


def analyses_of(facts: TrialFacts, folder: Path | str | None) -> Analyses | None:
    """The results of a folder, for a reader who may see a comparison of the arms.

    Parameters
    ----------
    facts : of the report.
    folder : with the results; None for none.

    Raises
    ------
    BadValue, Refused
        A blinded report, and as :func:`workbench.reports._trial_results.read`.
    """
    if folder is None:
        return None
    if facts.blinded:
        raise Refused(Message("report.blinded_results"))
    return _trial_results.read(Path(folder), str(facts.study["id"]), facts.snapshot)


def _checked(kind: str, participant: str, snapshot: str, formats: Collection[str]) -> Wanted:
    if kind not in KINDS:
        raise BadValue(Message("report.kind", allowed=list(KINDS), got=f"{kind!r:.60}"))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        got = f"{unknown[0]!r:.60}" if unknown else Message("word.none")
        raise BadValue(Message("report.format", allowed=list(FORMATS), got=got))
    if kind == "participant" and not participant:
        raise BadValue(Message("report.participant_missing"))
    if kind != "participant" and participant:
        raise BadValue(Message("report.participant_named"))
    return Wanted(kind, participant, snapshot)


def _content(
    study: Study, facts: TrialFacts, t: Texts, analyses: Analyses | None, name: Format
) -> tuple[bytes, str]:
    """The file, and the SHA-256 of the draft that is signed, ``""`` where the file is a draft itself."""
    content = _render(trial_document(facts, t, analyses), name)
    draft = hashlib.sha256(content).hexdigest()
    signed = signing.on_draft(study, draft)
    if not signed:
        return content, ""
    return _render(trial_document(facts, t, analyses, Signed(draft, signed)), name), draft


def _render(document: Document, name: Format) -> bytes:
    if name == "html":
        return html.render(document).encode("utf-8")
    if name == "pdf":
        return pdf.render(document)
    from workbench.reports import docx

    return docx.render(document)


def _stem(facts: TrialFacts, language: str) -> str:
    """Name of a file: kind, whose, for whom, and the entry at which the data end."""
    parts = [facts.wanted.kind, *([facts.people[0].name] if facts.wanted.participant else []), facts.view]
    plain = "-".join("".join(c if c.isalnum() and c.isascii() else "_" for c in part) for part in parts)
    return f"{plain}-{language}-{facts.cut.seq}"


def _parameters(
    facts: TrialFacts, t: Texts, analyses: Analyses | None, name: Format, draft: str
) -> dict[str, Any]:
    return {
        "language": t.language, "format": name, "view": facts.view, "reader": facts.reader,
        "snapshot": facts.snapshot.name if facts.snapshot else "", "participant": facts.wanted.participant,
        "results": analyses.sha256 if analyses else "", "programs": programs_sha256(),
        **({signing.SIGNED: draft} if draft else {}),
    }  # fmt: skip


_PARTS: tuple[tuple[tuple[Kind, ...], Callable[[TrialSay], Sequence[Block]]], ...] = (
    (KINDS, _trial_page_one.for_whom),
    (("interim", "final"), _trial_analyses.first_page),
    (KINDS, _trial_page_one.in_mind),
    (KINDS, _trial_page_one.provenance),
    (KINDS, _trial_page_one.signatures),
    (("participant",), _trial_flow.own_visits),
    (("interim", "final"), _trial_flow.flow),
    (("interim", "final"), _trial_flow.baseline),
    (("interim", "final"), _trial_page_one.estimands),
    (KINDS, _trial_outcomes.observed),
    (KINDS, _trial_forms.entered),
    (KINDS, _trial_safety.safety),
    (KINDS, _trial_device.performance),
    (KINDS, _trial_integrity.deviations),
    (KINDS, _trial_device.prices),
    (KINDS, _trial_integrity.quality),
    (KINDS, _trial_integrity.listings),
)
"""The sections in their order, with the kinds of report that have them."""


def trial_document(
    facts: TrialFacts, t: Texts, analyses: Analyses | None = None, signed: Signed | None = None
) -> Document:
    """The report as blocks, ready for a renderer.

    Parameters
    ----------
    facts, t : data and words.
    analyses : what the plan gave.
    signed : draft and signatures of a signed issue; None for a draft.
    """
    made_with = " · ".join([f"workbench {__version__}", *(f"{name} {version(name)}" for name in _MADE_WITH)])
    say = TrialSay(facts, t, analyses, made_with, programs_sha256(), signed)
    blocks = [block for kinds, part in _PARTS if facts.wanted.kind in kinds for block in part(say)]
    named = [t.word("tr_kind", facts.wanted.kind), t.word("tr_view", facts.view)]
    named += [facts.snapshot.name] if facts.snapshot else []
    return Document(
        title=_trial_page_one.title(say),
        lead=_trial_page_one.finding(say),
        language=t.language,
        head_left=" · ".join([str(facts.study["code"]), *named]),
        head_right=_trial_page_one.state(say),
        foot=t("foot", seq=facts.cut.seq),
        page=t.raw("page"),
        cut=facts.cut.utc,
        blocks=tuple(blocks),
    )
