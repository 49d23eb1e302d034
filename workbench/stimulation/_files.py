"""A programme as a file, and a set-up as plain data: what a session's plan and its recording hold."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation._limits import Signature, SignedLimits, from_definition, hash_of
from workbench.stimulation._programme import Channel, Programme
from workbench.stimulation._supervisor import Setup
from workbench.stimulation._wearer import Wearer
from workbench.vocabulary import contents

FORMAT = 1
"""Of a file of a programme."""


def parse_programme(text: str, *, file: str) -> Programme:
    """The programme of the text of a file.

    Parameters
    ----------
    text : TOML.
    file : what people call the file.

    Raises
    ------
    BadValue
        When it is no programme. Whether it is a sham belongs to a session and not into a file.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(Message("stimulation.no_toml", file=file, why=str(error))) from error
    if content.pop("format", None) != FORMAT or "mode" in content:
        raise BadValue(Message("stimulation.programme_format", file=file, n=FORMAT))
    return _programme(content, file=file)


def _programme(content: Mapping[str, Any], *, file: str) -> Programme:
    """The programme of its content; a part that is unknown, missing or of another type is refused."""
    try:
        # Under its own key a table of the file is one channel.
        channels = tuple(Channel(**one) for one in content["channel"])
        return Programme(channels=channels, **{name: part for name, part in content.items() if name != "channel"})
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise BadValue(Message("stimulation.programme_part", file=file, why=str(error))) from error


def definition_of(setup: Setup) -> dict[str, Any]:
    """A set-up as plain data; :func:`setup_of` gives it back.

    The hashes beside the parts are for readers: whoever reads the data in computes them again.
    """
    programme = contents(setup.programme)
    channels = [
        {**contents(channel), "cathodes": list(channel.cathodes), "anodes": list(channel.anodes)}
        for channel in programme.pop("channels")
    ]
    return {
        "programme": {**programme, "channel": channels, "sha256": setup.programme.sha256},
        "limits": [
            {
                "definition": signed.limits.definition(),
                "sha256": signed.limits.sha256,
                "signatures": [contents(signature) for signature in signed.signatures],
            }
            for signed in setup.limits
        ],
        "wearer": contents(setup.wearer),
        "blinded": setup.blinded,
        "earlier_uc": [[*place, charge] for place, charge in setup.earlier_uc],
        "references_ohm": [[*place, ohm] for place, ohm in setup.references_ohm],
    }


def setup_of(definition: Mapping[str, Any]) -> Setup:
    """The set-up of its plain data.

    Parameters
    ----------
    definition : of :func:`definition_of`.

    Raises
    ------
    BadValue
        When it is none.
    Refused
        When two people have not signed exactly the limits that stand there.
    """
    try:
        programme = {name: part for name, part in definition["programme"].items() if name != "sha256"}
        limits = tuple(
            SignedLimits(from_definition(one["definition"]), tuple(Signature(**s) for s in one["signatures"]))
            for one in definition["limits"]
        )
        return Setup(
            _programme(programme, file="plan"),
            limits,
            Wearer(**definition["wearer"]),
            earlier_uc=tuple(((lead, n), charge) for lead, n, charge in definition["earlier_uc"]),
            references_ohm=tuple(((lead, n), ohm) for lead, n, ohm in definition["references_ohm"]),
            blinded=bool(definition["blinded"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise BadValue(Message("stimulation.programme_part", file="plan", why=str(error))) from error


def as_sham(setup: Setup) -> Setup:
    """The same set-up with nothing that leaves; whoever runs the session is not to know it."""
    return replace(setup, programme=replace(setup.programme, mode="sham"), blinded=True)


def fingerprint(setup: Setup | None) -> str:
    """SHA-256 of a set-up, ``""`` of none; without the charge of the day, which the engine counts itself."""
    if setup is None:
        return ""
    stable = {name: part for name, part in definition_of(setup).items() if name != "earlier_uc"}
    return hash_of(stable)
