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
"""Chapters in their order; chapters that are not listed come after them."""
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
    others = {measure.definition.domain for measure in measures} - set(DOMAINS)
    # By title, as a reader looks them up; file names follow abbreviations.
    measures.sort(key=lambda measure: _title(measure).lower())
    chapters = [
        (domain, [measure for measure in measures if measure.definition.domain == domain])
        for domain in (*DOMAINS, *sorted(others))
    ]
    parts = [HEAD, "## Contents", *(line for chapter in chapters for line in _contents(*chapter))]
    for domain, chapter in chapters:
        parts += ["", f"# {_capital(domain)}"]
        parts += [line for measure in chapter for line in _section(measure)]
    return "\n".join(parts) + "\n"


def _title(measure: OutcomeMeasure) -> str:
    """The common beginning of the titles of all versions."""
    return commonprefix([definition.title for definition in measure.definitions]).rstrip(" ,(–-")


# ----- contents


def _contents(domain: str, measures: Sequence[OutcomeMeasure]) -> Iterator[str]:
    yield f"\n**{_capital(domain)}**\n"
    yield "| measure | range | better | thresholds in use | from memory, off | no number | notes from memory |"
    yield "|---|---|---|---|---|---|---|"
    for measure in measures:
        definition = measure.definition
        rows = [row for each in measure.definitions for row in _thresholds(each)]
        memory = sum(not row.on and row.value is not None for row in rows)
        empty = sum(row.value is None for row in rows)
        notes = {note for each in measure.definitions for note in each.notes if _mark(note).startswith("[M")}
        counts = [_in_use([row for row in rows if row.on]), *map(_count, (memory, empty, len(notes)))]
        name = f"[{_cell(_title(measure))}](#{definition.name}) `{definition.name}`"
        yield f"| {name} | {_range(definition) or '–'} | {_direction(measure)} | {' | '.join(counts)} |"


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
    directions = {definition.direction for definition in measure.definitions}
    return _better(directions.pop()) if len(directions) == 1 else "by version"


# ----- one measure


def _section(measure: OutcomeMeasure) -> Iterator[str]:
    versions = measure.definitions
    first = versions[0]
    yield f'\n<a id="{first.name}"></a>\n\n## {_title(measure)}\n'
    better = _direction(measure)
    facts = [f"`{first.name}`", "**better: by version**" if better == "by version" else f"**{better} is better**"]
    facts += [f"total {_range(first)}" if _range(first) else "no grand total"]
    facts += ["one administration a side"] if first.sides != ("",) else []
    facts += [f"administered: {', '.join(first.modes)}"] if first.modes else []
    yield " · ".join(facts) + "\n"
    if len(versions) > 1:
        yield from _versions(versions)
    yield from _fact_lines("Missing items", versions, lambda definition: definition.missing)
    yield from _fact_lines("Licence", versions, lambda definition: definition.licence)
    yield from _fact_lines(
        "Table to supply",
        versions,
        lambda definition: definition.table and f"{definition.table}; no score without it",
    )
    yield from _fact_lines("Sources", versions, lambda definition: "; ".join(definition.sources) + ".")
    for heading, group in _similar_versions(versions):
        yield from heading
        yield from _body(group[0])
    yield from _threshold_table(versions)


def _versions(versions: Sequence[Definition]) -> Iterator[str]:
    yield f"{len(versions)} versions, which are never mixed:\n"
    yield "| version | items | scores |"
    yield "|---|---|---|"
    for number, definition in enumerate(versions):
        scores = ", ".join(f"{_cell(s.label)} {_span(s)}" for s in definition.subscales[:4])
        more = f" and {len(definition.subscales) - 4} more" if len(definition.subscales) > 4 else ""
        current = " (current)" if not number else ""
        yield f"| {definition.version}{current} | {len(definition.items)} | {scores}{more} |"
    yield ""


def _fact_lines(title: str, versions: Sequence[Definition], fact: Callable[[Definition], str]) -> Iterator[str]:
    """One line, or one for each group of versions with the same text."""
    texts = {definition.version: fact(definition) for definition in versions}
    if len(set(texts.values())) == 1:
        if texts[versions[0].version]:
            yield f"- **{title}:** {texts[versions[0].version]}"
    # Texts that differ only in the version's own name read better as one line.
    elif len({text.replace(version, "") for version, text in texts.items()}) == 1:
        yield f"- **{title}:** {texts[versions[0].version].replace(versions[0].version, '(the version)')}"
    else:
        for text in dict.fromkeys(texts.values()):
            of_versions = ", ".join(version for version, other in texts.items() if other == text)
            yield f"- **{title}** ({of_versions})**:** {text}"


def _similar_versions(versions: Sequence[Definition]) -> list[tuple[list[str], list[Definition]]]:
    """Versions grouped by equal text except for the number of items, each group with its heading."""
    groups: dict[str, list[Definition]] = {}
    for definition in versions:
        # Numbers of items and ranges are masked: they are what similar versions differ in.
        scores = re.sub(r"\d+", "#", "\n".join(_scores(definition)))
        values = [value for _, value in item_lines((*definition.items, *definition.extras))]
        rest = "\n".join((*values, *_options(definition), *_notes(definition))).replace(definition.version, "")
        groups.setdefault(f"{scores}\n{rest}", []).append(definition)
    if len(versions) == 1:
        return [([], list(versions))]
    return [(list(_heading(group)), group) for group in groups.values()]


def _heading(group: Sequence[Definition]) -> Iterator[str]:
    first = group[0].version
    yield f"\n### Version {first}"
    if len(group) > 1:
        others = ", ".join(definition.version for definition in group[1:])
        yield f"\nAlike but for the number of items: {others}."


def _body(definition: Definition) -> Iterator[str]:
    yield from _scores(definition)
    yield from _items(definition)
    yield from _options(definition)
    yield from _notes(definition)


def _scores(definition: Definition) -> Iterator[str]:
    yield "\n| score | range | better | items |"
    yield "|---|---|---|---|"
    for sub, others in _paired(definition.subscales):
        names = ", ".join((f"{_cell(sub.label)} `{sub.code}`", *(f"left `{other.code}`" for other in others)))
        yield f"| {names} | {_span(sub)} | {_better(sub.direction or definition.direction)} | {len(sub.items)} |"
    if definition.low is not None and all(sub.code != "total" for sub in definition.subscales):
        yield f"| **Total** `total` | {_range(definition)} | {_better(definition.direction)} | |"


def _paired(scores: Sequence[Subscale]) -> Iterator[tuple[Subscale, list[Subscale]]]:
    """Scores in their order, left beside right where both have the same range."""
    listed: set[str] = set()
    for sub in scores:
        left = f"left{sub.code.removeprefix('right')}" if sub.code.startswith("right") else ""
        others = [other for other in scores if other.code == left and _span(other) == _span(sub)]
        if sub.code not in listed:
            yield sub, others
        listed |= {sub.code, *(other.code for other in others)}


def _items(definition: Definition) -> Iterator[str]:
    extras = f" and {len(definition.extras)} that enter no sum" if definition.extras else ""
    yield f"\n<details><summary>{len(definition.items)} items{extras}</summary>\n"
    yield "| items | values |"
    yield "|---|---|"
    yield from (f"| {_cell(what)} | {_cell(values)} |" for what, values in item_lines(definition.items))
    if definition.extras:
        yield from (
            f"| {_cell(what)} *(no sum)* | {_cell(values)} |" for what, values in item_lines(definition.extras)
        )
    yield "\n</details>"


def _options(definition: Definition) -> Iterator[str]:
    if definition.options:
        yield "\nThe protocol settles:\n"
    for option in definition.options:
        allowed = (
            f"; one of {', '.join(f'`{shown(value)}`' for value in option.allowed)}" if option.allowed else ""
        )
        default = "no default" if option.default is None else f"default `{shown(option.default)}`"
        yield f"- `{option.name}` – {option.label} ({default}{allowed})"


def _notes(definition: Definition) -> Iterator[str]:
    """Certain notes first, then those from memory under their own heading."""
    sure = [note for note in definition.notes if not _mark(note).startswith("[M")]
    memory = [note for note in definition.notes if _mark(note).startswith("[M")]
    if sure:
        yield "\nNotes, seen or tested:\n"
        yield from (f"- {_marked(note)}" for note in sure)
    if memory:
        yield "\n**Notes from memory – check against the manual:**\n"
        yield from (f"- {_marked(note)}" for note in memory)


def _threshold_table(versions: Sequence[Definition]) -> Iterator[str]:
    rows = [(definition.version, row) for definition in versions for row in _thresholds(definition)]
    if not rows:
        yield "\nThresholds of change: none in the table."
        return
    yield "\n| threshold | of | value | in whom | source | use |"
    yield "|---|---|---|---|---|---|"
    for version, row in rows:
        of = f"`{row.subscore}`" + (f" ({version})" if len(versions) > 1 else "")
        value = "**no number**" if row.value is None else f"{_number(row.size)} {row.unit}"
        who = _cell(row.population) + ("" if row.spinal else " – **not spinal cord injury**")
        source = f"{_cell(row.citation)} **{row.evidence}**"
        yield f"| {row.kind.upper()} | {of} | {_cell(value)} | {who} | {source} | {_use(row)} |"


def _use(row: Threshold) -> str:
    if row.value is None:
        return "cannot be chosen"
    return "in use" if row.on else "**off by default**"


# ----- words


def _thresholds(definition: Definition) -> tuple[Threshold, ...]:
    return thresholds(definition.name, definition.version, include_off=True)


def _mark(note: str) -> str:
    match = MARK.search(note)
    return match.group(1) if match else ""


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
