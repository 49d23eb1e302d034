"""The catalogue of outcome measures as a Markdown document, made from the definitions and the thresholds.

``python -m workbench.outcomes > docs/outcomes.md`` writes it; a test compares the committed file with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from os.path import commonprefix
from typing import Any

from workbench import outcomes
from workbench.outcomes._catalogue_items import item_lines, shown
from workbench.outcomes._contract import Definition, OutcomeMeasure, Subscale
from workbench.outcomes._thresholds import TABLE_VERSION, Threshold, thresholds

DOMAINS = (
    *("neurological examination", "strength", "upper limb", "function", "gait and balance"),
    *("spasticity, pain, autonomic", "quality of life, mood, goals, device"),
)
"""Chapters in their order; a chapter that is not named here comes after them."""
MARK = re.compile(r"\s*(\[(?:S|T|V|M\??)\])\.?$")
HEAD = f"""# Outcome measures

Made by `python -m workbench.outcomes > docs/outcomes.md` from the definitions; do not edit it by hand.
Table of thresholds: version {TABLE_VERSION}. Research use. Licensed instruments are held as codes and scores,
never as wording.

## How sure is it
| mark | what it means | what follows |
|---|---|---|
| **[S]** | seen in a public source | in use |
| **[T]** | tested by running it, or a decision of this workbench | in use |
| **[V]** | seen, but the source does not say which version of the measure it is about | **off by default**: used \
only when the analysis plan chooses it by its name |
| **[M]** | from memory: check it against the manual before a number is shown to anybody | **off by default**: a \
threshold is used only when the analysis plan chooses it by its name |
| **[M?]** | from memory, with low confidence | **off by default**, as [M] |
| no number | a number exists or is wanted, and none could be seen | cannot be chosen |

A threshold from people without a spinal cord injury says so. Ranges, items and rules come from the sources of
the measure; what is known to be less sure stands in its notes. **ND** = not determinable: a score that cannot be
formed is never 0 and never guessed. `*_x` (right, left) stands for the two codes `right_x` and `left_x`.

`workbench score MEASURE` scores any of them. For stored ISNCSCI examinations, `workbench reclassify STUDY` runs
the current rules again, and `workbench export STUDY` writes the core data set.
"""


def catalogue() -> str:
    """The whole document."""
    measures = [outcomes.load(name) for name in outcomes.available()]
    found = {measure.definition.domain for measure in measures}
    domains = [*DOMAINS, *sorted(found - set(DOMAINS))]
    measures.sort(key=lambda one: _title(one).lower())
    chapters = [(domain, [one for one in measures if one.definition.domain == domain]) for domain in domains]
    parts = [HEAD, "## Contents", *(line for one in chapters for line in _contents(*one))]
    for domain, chapter in chapters:
        parts += ["", f"# {_capital(domain)}"]
        parts += [line for measure in chapter for line in _section(measure)]
    return "\n".join(parts) + "\n"


def _title(measure: OutcomeMeasure) -> str:
    """What the titles of all versions begin with."""
    return commonprefix([one.title for one in measure.definitions]).rstrip(" ,(–-")


# ----- contents


def _contents(domain: str, measures: Sequence[OutcomeMeasure]) -> Iterator[str]:
    yield f"\n**{_capital(domain)}**\n"
    yield "| measure | range | better | thresholds in use | from memory, off | no number | notes from memory |"
    yield "|---|---|---|---|---|---|---|"
    for measure in measures:
        one = measure.definition
        rows = [row for each in measure.definitions for row in _thresholds(each)]
        memory = sum(not row.on and row.value is not None for row in rows)
        empty = sum(row.value is None for row in rows)
        notes = {note for each in measure.definitions for note in each.notes if _mark(note).startswith("[M")}
        counts = [_in_use([row for row in rows if row.on]), *map(_count, (memory, empty, len(notes)))]
        name = f"[{_cell(_title(measure))}](#{one.name}) `{one.name}`"
        yield f"| {name} | {_range(one) or '–'} | {_direction(measure)} | {' | '.join(counts)} |"


def _in_use(rows: Sequence[Threshold]) -> str:
    others = sum(not row.spinal for row in rows)
    return _count(len(rows)) + (f" ({others} not from SCI)" if others else "")


def _count(number: int) -> str:
    return str(number) if number else "–"


def _range(definition: Definition) -> str:
    if definition.low is not None and definition.high is not None:
        return f"{_number(definition.low)}–{_number(definition.high)}"
    return ""


def _direction(measure: OutcomeMeasure) -> str:
    every = {one.direction for one in measure.definitions}
    return _better(every.pop()) if len(every) == 1 else "by version"


# ----- one measure


def _section(measure: OutcomeMeasure) -> Iterator[str]:
    every = measure.definitions
    first = every[0]
    yield f'\n<a id="{first.name}"></a>\n\n## {_title(measure)}\n'
    better = _direction(measure)
    facts = [f"`{first.name}`", "**better: by version**" if better == "by version" else f"**{better} is better**"]
    facts += [f"total {_range(first)}" if _range(first) else "no grand total"]
    facts += ["one administration a side"] if first.sides != ("",) else []
    facts += [f"administered: {', '.join(first.modes)}"] if first.modes else []
    yield " · ".join(facts) + "\n"
    if len(every) > 1:
        yield from _versions(every)
    yield from _said("Missing items", every, lambda one: one.missing)
    yield from _said("Licence", every, lambda one: one.licence)
    yield from _said("Table to supply", every, lambda one: one.table and f"{one.table}; no score without it")
    yield from _said("Sources", every, lambda one: "; ".join(one.sources) + ".")
    for heading, ours in _alike(every):
        yield from heading
        yield from _body(ours[0])
    yield from _threshold_table(every)


def _versions(every: Sequence[Definition]) -> Iterator[str]:
    yield f"{len(every)} versions, which are never mixed:\n"
    yield "| version | items | scores |"
    yield "|---|---|---|"
    for number, one in enumerate(every):
        scores = ", ".join(f"{_cell(s.words)} {_span(s)}" for s in one.subscales[:4])
        more = f" and {len(one.subscales) - 4} more" if len(one.subscales) > 4 else ""
        yield f"| {one.version}{' (current)' if not number else ''} | {len(one.items)} | {scores}{more} |"
    yield ""


def _said(title: str, every: Sequence[Definition], say: Callable[[Definition], str]) -> Iterator[str]:
    """One line, or one for each group of versions that says the same."""
    texts = {one.version: say(one) for one in every}
    if len(set(texts.values())) == 1:
        if texts[every[0].version]:
            yield f"- **{title}:** {texts[every[0].version]}"
    elif len({text.replace(version, "") for version, text in texts.items()}) == 1:
        yield f"- **{title}:** {texts[every[0].version].replace(every[0].version, '(the version)')}"
    else:
        for text in dict.fromkeys(texts.values()):
            versions = ", ".join(version for version, other in texts.items() if other == text)
            yield f"- **{title}** ({versions})**:** {text}"


def _alike(every: Sequence[Definition]) -> list[tuple[list[str], list[Definition]]]:
    """Versions in groups that read the same but for their number of items, each group with its heading."""
    groups: dict[str, list[Definition]] = {}
    for one in every:
        scores = re.sub(r"\d+", "#", "\n".join(_scores(one)))
        values = [value for _, value in item_lines((*one.items, *one.extras))]
        rest = "\n".join((*values, *_options(one), *_notes(one))).replace(one.version, "")
        groups.setdefault(f"{scores}\n{rest}", []).append(one)
    if len(every) == 1:
        return [([], list(every))]
    return [(list(_heading(ours)), ours) for ours in groups.values()]


def _heading(ours: Sequence[Definition]) -> Iterator[str]:
    first = ours[0].version
    yield f"\n### Version {first}"
    if len(ours) > 1:
        others = ", ".join(one.version for one in ours[1:])
        yield f"\nAlike but for the number of items: {others}."


def _body(one: Definition) -> Iterator[str]:
    yield from _scores(one)
    yield from _items(one)
    yield from _options(one)
    yield from _notes(one)


def _scores(one: Definition) -> Iterator[str]:
    yield "\n| score | range | better | items |"
    yield "|---|---|---|---|"
    for sub, others in _paired(one.subscales):
        words = ", ".join((f"{_cell(sub.words)} `{sub.code}`", *(f"left `{other.code}`" for other in others)))
        yield f"| {words} | {_span(sub)} | {_better(sub.direction or one.direction)} | {len(sub.items)} |"
    if one.low is not None and all(sub.code != "total" for sub in one.subscales):
        yield f"| **Total** `total` | {_range(one)} | {_better(one.direction)} | |"


def _paired(scores: Sequence[Subscale]) -> Iterator[tuple[Subscale, list[Subscale]]]:
    """Scores in their order, that of the left beside that of the right where they have the same range."""
    told: set[str] = set()
    for sub in scores:
        left = f"left{sub.code.removeprefix('right')}" if sub.code.startswith("right") else ""
        others = [one for one in scores if one.code == left and _span(one) == _span(sub)]
        if sub.code not in told:
            yield sub, others
        told |= {sub.code, *(one.code for one in others)}


def _items(one: Definition) -> Iterator[str]:
    extras = f" and {len(one.extras)} that enter no sum" if one.extras else ""
    yield f"\n<details><summary>{len(one.items)} items{extras}</summary>\n"
    yield "| items | values |"
    yield "|---|---|"
    yield from (f"| {_cell(what)} | {_cell(values)} |" for what, values in item_lines(one.items))
    if one.extras:
        yield from (f"| {_cell(what)} *(no sum)* | {_cell(values)} |" for what, values in item_lines(one.extras))
    yield "\n</details>"


def _options(one: Definition) -> Iterator[str]:
    if one.options:
        yield "\nThe protocol settles:\n"
    for option in one.options:
        allowed = (
            f"; one of {', '.join(f'`{shown(value)}`' for value in option.allowed)}" if option.allowed else ""
        )
        default = "no default" if option.default is None else f"default `{shown(option.default)}`"
        yield f"- `{option.name}` – {option.words} ({default}{allowed})"


def _notes(one: Definition) -> Iterator[str]:
    """What is certain first, then what is from memory, under a heading of its own."""
    sure = [note for note in one.notes if not _mark(note).startswith("[M")]
    memory = [note for note in one.notes if _mark(note).startswith("[M")]
    if sure:
        yield "\nNotes, seen or tested:\n"
        yield from (f"- {_marked(note)}" for note in sure)
    if memory:
        yield "\n**Notes from memory – check against the manual:**\n"
        yield from (f"- {_marked(note)}" for note in memory)


def _threshold_table(every: Sequence[Definition]) -> Iterator[str]:
    rows = [(one.version, row) for one in every for row in _thresholds(one)]
    if not rows:
        yield "\nThresholds of change: none in the table."
        return
    yield "\n| threshold | of | value | in whom | source | use |"
    yield "|---|---|---|---|---|---|"
    for version, row in rows:
        of = f"`{row.subscore}`" + (f" ({version})" if len(every) > 1 else "")
        value = "**no number**" if row.value is None else f"{_number(row.size)} {row.unit}"
        who = _cell(row.population) + ("" if row.spinal else " – **not spinal cord injury**")
        source = f"{_cell(row.citation)} **{row.evidence}**"
        yield f"| {row.kind.upper()} | {of} | {_cell(value)} | {who} | {source} | {_use(row)} |"


def _use(row: Threshold) -> str:
    if row.value is None:
        return "cannot be chosen"
    return "in use" if row.on else "**off by default**"


# ----- words


def _thresholds(one: Definition) -> tuple[Threshold, ...]:
    return thresholds(one.name, one.version, every=True)


def _mark(note: str) -> str:
    found = MARK.search(note)
    return found.group(1) if found else ""


def _marked(note: str) -> str:
    mark = _mark(note)
    return f"{MARK.sub('', note)} **{mark}**" if mark else note


def _span(sub: Subscale) -> str:
    return f"{_number(sub.low)}–{_number(sub.high)} {sub.unit}".strip()


def _better(direction: str) -> str:
    return {"up": "higher", "down": "lower"}[direction]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(value: Any) -> str:
    text = f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return text.replace("-", "−")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
