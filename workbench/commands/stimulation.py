"""`workbench stimulation`: limits of an electrode: check the file that two people are to sign, and show it."""

from __future__ import annotations

import argparse
import getpass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_signers, add_study, nonblank, number
from workbench.commands._parser import one_line
from workbench.commands._secret import confirmed
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.stimulation import ElectrodeLimits

LARGEST = 1_000_000
"""Bytes of the largest file of limits."""

WIDTHS_US = (100.0, 200.0, 300.0, 400.0)
"""Pulse widths for which the greatest current is shown, µs."""


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="limits of an electrode; see docs/stimulation.md")
    add_json(parser)


def _add_recording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="recording of a run (XDF)")
    parser.add_argument(
        "--unblinded", action="store_true", help="of a blinded session: you may know whether it was a sham"
    )
    add_json(parser)


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    parser.add_argument(
        "--against", dest="old", type=Path, metavar="OLD", help="the version before: what is raised is named"
    )


def _add_adopt(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    _add_file(parser)
    add_signers(parser)


def _add_programme(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument(
        "map", metavar="MAP", help="id of a map of contacts in the record; 'newest' for the last one"
    )
    parser.add_argument("--name", type=nonblank, required=True, metavar="NAME", help="of the programme")
    parser.add_argument("--rate-hz", type=number, required=True, metavar="HZ", help="rate of its pulses")
    parser.add_argument("--support", action="store_true", help="the person would fall without a harness")
    add_json(parser)


def _read(path: Path) -> ElectrodeLimits:
    from workbench import reading
    from workbench.stimulation import parse_limits

    data, where = reading.read_bytes(path, "file of limits", largest=LARGEST), reading.shown(path)
    return parse_limits(reading.decoded(data, where, signed=True), file=where)


def _check(arguments: argparse.Namespace) -> int:
    from workbench.stimulation import raised

    limits = _read(arguments.file)
    old = None if arguments.old is None else _read(arguments.old)
    more = () if old is None else raised(old, limits)
    follows = old is None or (
        (limits.electrode, limits.version, limits.replaces) == (old.electrode, old.version + 1, old.sha256)
    )
    if arguments.json:
        result = {**_summary(limits), "raised": more, "follows": follows}
        print(as_json("stimulation check", result, ok=follows))
        return 0 if follows else EXIT_DIFFERS
    _print_head(limits)
    for override in limits.overrides:
        print(f"  beyond     {override.limit} = {override.value:g}: {one_line(override.reason)}")
    if old is not None:
        print(f"  raised     {', '.join(_step(name, old, limits) for name in more) or 'nothing'}")
    if not follows:
        print("  NOT the next version of the other: electrode, version and replaces must follow it")
    print("  to be signed by two people, one of them an investigator")
    return 0 if follows else EXIT_DIFFERS


def _show(arguments: argparse.Namespace) -> int:
    from workbench.stimulation import BOUNDS, RULES, SHARES

    limits = _read(arguments.file)
    charge, by = _greatest(limits)
    currents = {width: min(charge * 1000.0 / width, limits.limits["current_ma"]) for width in WIDTHS_US}
    if arguments.json:
        result = {
            **_summary(limits),
            "definition": limits.definition(),
            "charge_uc": charge,
            "bound_by": by,
            "current_ma": [{"width_us": width, "current_ma": current} for width, current in currents.items()],
        }
        print(as_json("stimulation show", result, ok=True))
        return 0
    _print_head(limits)
    for name, value in limits.limits.items():
        what, unit = RULES[BOUNDS[name].quantity]
        usual = BOUNDS[name].usual.get(limits.site)
        beside = "" if usual is None else f" (usual {usual:g})"
        least = "at least" if BOUNDS[name].least else "at most"
        share = SHARES.get(name)
        # A share has not the unit of what it is a share of.
        amount = f"{value:g} {unit}".strip() if share is None else f"{value:g} ({100 * value:g} {share})"
        print(f"  {name:20s} {least} {amount}{beside}: {what}")
    print(f"  greatest charge of a phase on one contact: {charge:.2f} µC, by {by}")
    for width, current in currents.items():
        print(f"    at {width:g} µs up to {current:.2f} mA")
    return 0


def _adopt(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.changes.stimulating import AdoptStimulationLimits

    limits = _read(arguments.file)
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        change = AdoptStimulationLimits(limits.definition())
        row = study.apply(change, confirmed(study, arguments.logins), arguments.reason)
        more = study.get("stimulation_limits", row)["raised"]
        seq, digest = study.head()
    if arguments.json:
        result = {**_summary(limits), "raised": more, "head": [seq, digest]}
        print(as_json("stimulation adopt", result, ok=True))
    else:
        print(f"{limits.electrode} version {limits.version} is in force\nsha256: {limits.sha256}")
        print(f"raised: {', '.join(more) or 'nothing'}\nhead: {seq} {digest}")
    return 0


def _programme(arguments: argparse.Namespace) -> int:
    """Print the programme of a map as its file."""
    from workbench.errors import UnknownName
    from workbench.runs.mapping import programme_of, programme_text
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        rows = study.rows("contact_map")
    found = rows[-1:] if arguments.map == "newest" else [row for row in rows if row["id"] == arguments.map]
    if not found:
        raise UnknownName(f"the record has no map {arguments.map!r:.60}; it has {[row['id'] for row in rows]}")
    row, support = found[0], arguments.support
    programme = programme_of(row["result"], arguments.name, rate_hz=arguments.rate_hz, needs_support=support)
    text = programme_text(programme)
    if arguments.json:
        result = {"map": row["id"], "programme": programme.sha256, "text": text}
        print(as_json("stimulation programme", result, ok=True))
        return 0
    simulated = ", simulated" if row["simulated"] else ""
    about = f"{row['id']} by {one_line(row['by'])}, {row['utc']}{simulated}"
    print(f"# Of map {about}; limits of {row['electrode']} version {row['limits_version']}\n{text}", end="")
    return 0


def _given(arguments: argparse.Namespace) -> int:
    """Print what a recording asked for beside what left; exit 1 where it says nothing of stimulation.

    Of a blinded session only for who says that they may know: a command that is tried in passing tells nobody.
    """
    from workbench import control
    from workbench.errors import Refused
    from workbench.messages import Message
    from workbench.recording import RunFile

    run = RunFile(arguments.file)
    about = run.plan.get("stimulation")
    if about and about.get("blinded") and not arguments.unblinded:
        raise Refused(Message("stimulation.blinded_recording", file=run.path.name))
    orders = control.given(run.control(), run.decisions()) if about else []
    if arguments.json:
        named = (
            {} if not about else {"mode": about["programme"]["mode"], "programme": about["programme"]["sha256"]}
        )
        rows = [order._asdict() for order in orders]
        print(as_json("stimulation given", {**named, "orders": rows}, ok=bool(about)))
        return 0 if about else EXIT_DIFFERS
    if not about:
        print(f"{run.path.name} says nothing of stimulation")
        return EXIT_DIFFERS
    programme = about["programme"]
    print(f"{run.path.name}: {programme['mode']}, programme {one_line(programme['name'])}")
    print(f"  sha256     {programme['sha256']}")
    for limits in about["limits"]:
        people = ", ".join(one_line(one["person"]) for one in limits["signatures"])
        print(f"  limits     {limits['definition']['electrode']} {limits['sha256']}, signed by {people}")
    for order in orders:
        asked, left = (" ".join(f"{value:g}" for value in part) for part in (order.asked_ma, order.given_ma))
        print(f"  {order.stamp:12.3f} s  {order.action:8s} asked {asked} mA, given {left} mA")
    return 0


def _greatest(limits: ElectrodeLimits) -> tuple[float, str]:
    """The greatest charge of a phase in µC that no limit of charge forbids, and the limit that binds."""
    allowed = {"charge_uc": limits.limits["charge_uc"]}
    if (density := limits["density_uc_cm2"]) is not None:
        allowed["density_uc_cm2"] = density * limits.area_cm2
    if (k := limits["shannon_k"]) is not None:
        allowed["shannon_k"] = sqrt(10.0**k * limits.area_cm2)
    by = min(allowed, key=lambda name: allowed[name])
    return allowed[by], by


def _print_head(limits: ElectrodeLimits) -> None:
    print(f"{limits.electrode} version {limits.version}, {limits.site}: {one_line(limits.title)}")
    print(f"  contacts   {limits.contacts} of {limits.area_cm2:g} cm²")
    print(f"  sha256     {limits.sha256}")


def _step(name: str, old: ElectrodeLimits, new: ElectrodeLimits) -> str:
    """How a limit was raised."""
    before, after = old[name], new[name]
    if before is None:
        return name
    return f"{name} {before:g} → {'taken out' if after is None else f'{after:g}'}"


def _summary(limits: ElectrodeLimits) -> dict[str, Any]:
    return {
        "electrode": limits.electrode,
        "version": limits.version,
        "site": limits.site,
        "title": limits.title,
        "sha256": limits.sha256,
        "overrides": [{"limit": o.limit, "value": o.value, "reason": o.reason} for o in limits.overrides],
    }


COMMAND = Subcommand(
    name="stimulation",
    help="limits of an electrode for stimulation: check the file, show it, put it into force",
    description="Limits of an electrode model are one TOML file, explained in docs/stimulation.md, which two "
    "people sign. Only 'adopt' writes into a study record.",
    actions=(
        Subcommand(
            name="check",
            help="check a file of limits, and what it raises against the version before",
            run=_check,
            arguments=_add_check,
        ),
        Subcommand(
            name="show",
            help="show every limit, and the greatest current that they allow",
            run=_show,
            arguments=_add_file,
        ),
        Subcommand(
            name="given",
            help="what a recording asked for beside what left; of a blinded session with --unblinded",
            run=_given,
            arguments=_add_recording,
        ),
        Subcommand(
            name="programme",
            help="print the programme that a map of contacts gives, as the file that a study keeps",
            run=_programme,
            arguments=_add_programme,
        ),
        Subcommand(
            name="adopt",
            help="put limits into force in a study, signed by two people",
            run=_adopt,
            arguments=_add_adopt,
        ),
    ),
)
