"""``docs/systems.md``: every system, its chain, limits and protocol, what is simulated, measured, not supplied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workbench.systems._description import described
from workbench.systems._register import available, load

HEAD = """# Clinical systems

Written by `workbench systems --write docs/systems.md`; do not edit. Each system is a file of `workbench/systems/`,
from which a session is bound, a protocol is drafted and this page is made. The notebook of a new study
(`notebooks/05_new_study.ipynb`) shows the same on its page of systems.

- **Limits** are those of the effector's profile, or narrower ones of the system. A protocol may narrow them; no
  system widens one. Safe states stand in [hazards](hazards.md).
- **Figures** are what a command printed, with n and 95 % interval; where none did, it says *not measured*. What a
  decoder does on recordings of people stands in [decoders](decoders.md).
- **Not supplied** is what nobody published and the sponsor of a study has to state. It is never filled in.
- **Prices** and codes are those of the price document of a province: enter the item from it, see
  [fittings](fitting.md).
"""
TAIL = """
## Out of scope of all of them

- Whom to treat, by which operation, and where electrodes lie: decided by people before there is a stream to read.
- The hardware itself: its safety is its maker's to show. What a driver keeps is in
  [the effector's protocol](effector_protocol.md), what software cannot control in [hazards](hazards.md).
- Whether a price item applies to a device, and who pays: decided by authorities. The record keeps the decision.
"""
NOT_MEASURED = "not measured"
COMMAND_LINE = re.compile(r"## `(.+)`")
ARROW = " ──▶ "
RULES = {
    "not_with": "never in one operation with {item}",
    "data_reduction": "CNY {amount} less where the data that the document asks for are not supplied",
    "professional_only": "not for products that need no professional fitting",
}
KINDS_OF_ITEM = {"implant": "the implant item", "removal": "the removal item", "fitting": "the fitting item"}


def document(figures: str = "") -> str:
    """The page as Markdown.

    Parameters
    ----------
    figures : text of a document to which ``workbench stress --out`` appended: a line that begins with the name of
        a system is a figure of it.
    """
    found = _figures(figures)
    every = [described(load(name)) for name in available()]
    parts = [HEAD, *_contents(every)]
    for system in every:
        parts += ["", f"## {system['name']}", "", *_chapter(system, found.get(system["name"], []))]
    return "\n".join([*parts, TAIL.rstrip()]) + "\n"


def _figures(text: str) -> dict[str, list[tuple[str, str]]]:
    """By system: the command that printed a figure, and its line."""
    found: dict[str, list[tuple[str, str]]] = {}
    known, command = available(), ""
    for line in text.splitlines():
        if heading := COMMAND_LINE.match(line):
            command = heading[1]
        name, colon, rest = line.partition(": ")
        if command and colon and name in known:
            found.setdefault(name, []).append((command, rest.strip()))
    return found


def _contents(every: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from _table(
        ("system", "signal", "decoder", "law", "effector", "simulated"),
        (
            (
                f"[{one['title']}](#{one['name']})", ", ".join(i["kind"] for i in _read(one)),
                one["tasks"][0]["decoder"] or "none", _law(one["tasks"][0]), one["effector"] or "none",
                "yes" if one["simulated"] else "no",
            )
            for one in every
        ),
    )  # fmt: skip


def _chapter(system: Mapping[str, Any], figures: list[tuple[str, str]]) -> Iterator[str]:
    yield f"**{system['title']}.** {system['published']}"
    yield from ("", "```", *_chain(system), "```", "")
    yield from _inputs(system)
    yield from _tasks(system)
    yield from _limits(system)
    yield from _stimulation(system)
    yield from _protocol(system)
    yield from _prices(system)
    yield f"**In a simulation**: {system['simulated'] or 'nothing: hardware or recordings only'}."
    yield ""
    yield "**Figures**" + ("" if figures else f": {NOT_MEASURED}.")
    yield from (f"- `{command}`: {line}" for command, line in figures)
    for title, texts in (("Not supplied", system["not_supplied"]), ("Out of scope", system["out_of_scope"])):
        if texts:
            yield from ("", f"**{title}**", *(f"- {one}" for one in texts))


# ------------------------------------------------------------------------------------ the chain
def _chain(system: Mapping[str, Any]) -> Iterator[str]:
    """The usual task drawn as text: what is read, what decides, what follows."""
    task = system["tasks"][0]
    read = _read(system)
    labels = [f"{one['role']}: {one['words']}{'' if one['critical'] else ' (optional)'}" for one in read]
    wide = max(map(len, labels))
    after = [
        task["decoder"] or "no decoder",
        *([_law(task)] if task["law"] else []),
        system["effector"] or "no effector",
    ]
    middle = (len(read) - 1) // 2
    for n, label in enumerate(labels):
        end = ARROW + ARROW.join(after) if n == middle else ""
        if len(labels) == 1:
            yield label + end
        else:
            yield f"{label.ljust(wide)} ─{_joint(n, len(labels), goes_on=n == middle)}{end.lstrip()}"


def _joint(n: int, lines: int, *, goes_on: bool) -> str:
    """Where one of several lines meets the others."""
    if goes_on:
        return "┬" if n == 0 else "┼"
    return "┐" if n == 0 else "┘" if n == lines - 1 else "┤"


def _read(system: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its inputs but the cues."""
    return [one for one in system["inputs"] if one["kind"] != "markers"]


def _law(task: Mapping[str, Any]) -> str:
    law = task["law"]
    return "none" if law is None else law["law"].replace("_", " ")


# ------------------------------------------------------------------------------------ its tables
def _inputs(system: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        ("stream", "what", "channels", "rate", "unit", "needed"),
        (
            (
                one["role"], f"{one['kind']}: {one['words']}",
                "–" if one["kind"] == "markers" else _span(one["least_channels"], one["most_channels"]),
                "events" if one["kind"] == "markers" else f"{_span(one['least_hz'], one['most_hz'])} Hz",
                "–" if one["kind"] == "markers" else one["unit"] or "any", "yes" if one["critical"] else "no",
            )
            for one in system["inputs"]
        ),
    )  # fmt: skip
    yield ""


def _tasks(system: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        ("task", "paradigm", "decoder", "law", "trials: calibration, then online"),
        (
            (
                f"`{one['name']}`: {one['title']}", one["paradigm"],
                _decoder(one["decoder"]), _law_in_full(one),
                " + ".join(map(str, one["trials"])),
            )
            for one in system["tasks"]
        ),
    )  # fmt: skip
    judged = ", ".join(str(one["title"]) for one in system["metrics"]) or NOT_MEASURED
    yield from (
        "",
        f"Online runs are judged by: {judged}. Procedures: {', '.join(map(_said, system['procedures']))}.",
        "",
    )


def _decoder(name: str) -> str:
    """A decoder with where it is described."""
    anchor = name if name not in ("late_fusion", "gating") else "several-streams-together"
    return f"[{name}](decoders.md#{anchor})" if name else "none"


def _law_in_full(task: Mapping[str, Any]) -> str:
    law = task["law"]
    if law is None:
        return "none"
    facts = [_law(task)]
    if law["conditions"]:
        facts.append(f"on {', '.join(map(_said, law['conditions']))}")
    for key, words in (("trigger_s", "for {} s"), ("gain", "gain {}"), ("dead_band", "dead band {}")):
        if law[key]:
            facts.append(words.format(f"{law[key]:g}"))
    if law["slew_per_s"]:
        facts.append(f"rise at most {law['slew_per_s']:g} a second")
    if law["share"]:
        facts.append(f"{law['share']:g} of it assistance")
    for condition, shares in law["patterns"]:
        moved = ", ".join(
            f"{n}" + ("" if share == 1 else f" ({share:g})") for n, share in enumerate(shares, 1) if share
        )
        facts.append(f"{_said(condition) if condition else 'it'} moves channel {moved}")
    facts += [f"{name} at phases {begin:g} to {end:g}" for name, begin, end in law["blocks"]]
    if law["phase_window"]:
        facts.append("phases " + " to ".join(f"{edge:g}" for edge in law["phase_window"]))
    return ", ".join(facts)


def _limits(system: Mapping[str, Any]) -> Iterator[str]:
    limits = system["limits"]
    if limits is None:
        yield from ("No effector moves, so that there is nothing to limit.", "")
        return
    yield from _table(
        ("effector", "greatest level", "longest activation", "dose of a session", "refractory", "time to live"),
        [
            (
                str(system["effector_title"]), f"{100 * limits['level_max']:g} %", f"{limits['hold_limit_s']:g} s",
                f"{limits['dose_s'] / 60:g} min", f"{1000 * limits['refractory_s']:g} ms",
                f"{1000 * limits['ttl_s']:g} ms",
            )
        ],
    )  # fmt: skip
    yield ""
    if system["checks"]:
        yield from (f"Before arming: {' '.join(map(str, system['checks']))}", "")


def _stimulation(system: Mapping[str, Any]) -> Iterator[str]:
    programme = system["stimulation"]
    if programme is None:
        return
    support = "; it needs a support of the body" if programme["needs_support"] else ""
    yield from (f"Programme: {programme['programme']}{support}. A study states its own and signs its limits.", "")
    yield from _table(
        ("channel", "electrode", "approved current", "pulse width", "rate"),
        (
            (
                one["name"], one["electrode"], f"{one['current_ma']:g} mA", f"{one['width_us']:g} µs",
                f"{one['rate_hz']:g} Hz",
            )
            for one in programme["channels"]
        ),
    )  # fmt: skip
    for one in programme["electrodes"]:
        yield from (
            "",
            f"{one['title']}: {'; '.join(map(_bound, one['limits']))}. See [stimulation](stimulation.md).",
        )
    yield ""


def _bound(limit: Mapping[str, Any]) -> str:
    amount = f"{limit['value']:g} {limit['unit']}".strip()
    return f"{limit['title']} {'at least' if limit['least'] else 'at most'} {amount}"


def _protocol(system: Mapping[str, Any]) -> Iterator[str]:
    titles = {one["name"]: str(one["title"]) for one in system["forms"]}
    if not system["visits"]:
        yield from ("It states no visits: a study of it begins with one, on any day.", "")
    else:
        yield from _table(
            ("visit", "day from the first session", "forms"),
            (
                (
                    one["name"], f"{one['day']} ({one['earliest']} to {one['latest']})".replace("-", "−"),
                    "; ".join(titles[name] for name in one["forms"]) or "none",
                )
                for one in system["visits"]
            ),
        )  # fmt: skip
        yield ""
    own = [one for one in system["forms"] if one["items"]]
    if own:
        yield from ("Forms of its own:", *(f"- {one['title']}: {_items(one)}" for one in own), "")
    if system["planned"]:
        yield from _table(
            ("endpoint", "", "what is estimated"),
            (
                (
                    str(one["title"]),
                    one["role"],
                    " ".join(filter(None, (str(one["variable"]), str(one["summary"])))),
                )
                for one in system["planned"]
            ),
        )
        yield ""


def _items(form: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{one['label']}{f' ({unit})' if (unit := one['unit']) else ''}" for one in form["items"]) + "."
    )


def _prices(system: Mapping[str, Any]) -> Iterator[str]:
    if not system["price_items"]:
        return
    yield from _table(
        ("price item", "what it is", "charged for", "rules that were found"),
        (
            (one["name"], str(one["title"]), str(one["per"]), "; ".join(map(_rule, one["rules"])) or "none")
            for one in system["price_items"]
        ),
    )
    yield ""


def _rule(rule: Mapping[str, Any]) -> str:
    words = RULES[rule["kind"]].format(item=KINDS_OF_ITEM.get(rule["item"], ""), amount=rule["amount"])
    return f"{words} ({rule['source']})"


# ------------------------------------------------------------------------------------ Markdown
def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _span(least: float, most: float) -> str:
    return f"{least:g} or more" if not most else f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _said(name: str) -> str:
    return name.replace("_", " ")
