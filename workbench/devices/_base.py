"""What an entry of the device folder says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Device:
    """The constant ``DEVICE`` of an entry.

    Attributes
    ----------
    description : one sentence for a list.
    options : what ``--json`` accepts, name → meaning with unit; empty for an entry that is not a player.
    player : True when ``python -m workbench.devices.<name> --json …`` plays streams in its own process.
    simulated : True when what it publishes does not come from a person or a machine.
    """

    description: str
    options: Mapping[str, str] = field(default_factory=dict)
    player: bool = False
    simulated: bool = False
