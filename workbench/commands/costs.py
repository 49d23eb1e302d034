"""`workbench costs STUDY`: fittings, their minutes, and what was charged or would have been."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_study, nonblank
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.study.costs import ChargeLine, CostSheet, Fitting

NOT_SUPPLIED = "not supplied"
ASKED = {
    "site": "site", "province": "province", "licence_class": "licence class", "device_udi": "UDI",
    "nhsa_code": "NHSA code", "registration": "registration certificate",
    "professional": "whether the product needs professional fitting", "payer": "payer",
    "decoder_sha256": "decoder", "recordings": "calibration recordings", "channels": "channels", "fs": "rate",
    "calibration_min": "calibration time", "impedance_before_kohm": "impedance before",
    "impedance_after_kohm": "impedance after", "function_test": "function test",
}  # fmt: skip
"""Columns of a fitting that are named where they are empty, and their words."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study and whose sheet is wanted."""
    add_study(parser)
    parser.add_argument("--participant", type=nonblank, metavar="P", help="pseudonym (default: everybody)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the sheet of each participant, and how far the products are on their way to reimbursement."""
    from workbench.study import Study, costs

    with Study.open(arguments.study, actor="command line") as study:
        sheets = costs.sheets(study, arguments.participant or "")
        evidence = costs.evidence(study)
    if arguments.json:
        print(as_json("costs", {"sheets": sheets, "evidence": evidence}, ok=True))
        return 0
    for sheet in sheets:
        print("\n".join(_sheet(sheet)))
    if not sheets:
        print("no fitting and no charge is in the record")
    for step in evidence:
        print(
            f"{step['product']}: {_words(step['stage'])} {step['decided_on']}, "
            f"{step['province'] or 'province ' + NOT_SUPPLIED}, "
            f"reference {step['reference'] or NOT_SUPPLIED} ({step['document']})"
        )
    return 0


def _sheet(sheet: CostSheet) -> Iterator[str]:
    yield f"{sheet.participant}{' (simulated)' if sheet.simulated else ''}"
    mean = "" if sheet.minutes_per_fitting is None else f", {sheet.minutes_per_fitting:.1f} min each on average"
    yield f"  fittings: {len(sheet.fittings)}, {sheet.n_complete} complete{mean}"
    for one in sheet.fittings:
        yield from _fitting(one)
    if sheet.n_complete:
        steps = (f"{_words(step)} {minutes:.1f}" for step, minutes in sheet.minutes_per_step.items())
        yield f"  mean minutes per step: {', '.join(steps)}"
    yield "  fittings until stable control: not computed, as no criterion was supplied"
    for line in sheet.charges:
        yield f"  {_charge(line)}"
    yield f"  charged: {_sums(sheet.charged)}; shadow billing: {_sums(sheet.shadow)}"
    for warning in sheet.warnings:
        yield f"  warning: {warning}"


def _fitting(one: Fitting) -> Iterator[str]:
    took = "no step has times" if one.minutes is None else f"{one.started}, {one.minutes:.1f} min"
    left = f"; steps without times: {', '.join(map(_words, one.missing))}" if one.missing else ""
    yield f"    {one.visit}: {one.state}, {took}{left}; uploads: {one.n_uploads}"
    empty = [words for name, words in ASKED.items() if getattr(one, name) in ("", None, [], {})]
    if empty:
        yield f"      {NOT_SUPPLIED}: {', '.join(empty)}"


def _charge(line: ChargeLine) -> str:
    less = "".join(f" − {one['amount']} ({one['why']}; {one['source']})" for one in line.reductions)
    code = f"code {line.item_code or NOT_SUPPLIED}, cap {line.cap or NOT_SUPPLIED}"
    shadow = f"; not charged: {line.not_charged}" if line.not_charged else ""
    return (
        f"{line.performed_on} {line.item} ({code}; {line.document} {line.document_version}, {line.province}): "
        f"{line.price}{less} = {line.amount} {line.currency}, payer {_words(line.payer)}{shadow}"
    )


def _sums(by_currency: Mapping[str, Any]) -> str:
    return ", ".join(f"{total} {currency}" for currency, total in by_currency.items()) or "nothing"


def _words(name: str) -> str:
    return name.replace("_", " ")


COMMAND = Subcommand(
    name="costs",
    help="fittings, their minutes, and what was charged or would have been, by participant",
    run=run,
    arguments=add_arguments,
)
