"""From decisions to commands: state machine, safety supervisor, effector profiles. The folder is the register.

An entry defines ``EFFECTOR``, an :class:`Effector` profile. :class:`Controller` takes decisions and is the
only maker of commands. ``docs/hazards.md`` lists hazard, control and test. Research use; not a medical device.
"""

from __future__ import annotations

from workbench import registry
from workbench.control._conditions import CONDITIONS, Condition
from workbench.control._grant import Grant
from workbench.control._link import expired
from workbench.control._machine import SELF_TEST_ITEMS, Act, Controller
from workbench.control._profile import ACTIONS, Effector, SafeStep
from workbench.control._supervisor import Limits, Supervisor, profile_limits
from workbench.control._table import EVENTS, FAULTS, MEANING, STATES, TABLE, Thresholds, Transition, markdown

__all__ = [
    "ACTIONS",
    "CONDITIONS",
    "EVENTS",
    "FAULTS",
    "MEANING",
    "SELF_TEST_ITEMS",
    "STATES",
    "TABLE",
    "Act",
    "Condition",
    "Controller",
    "Effector",
    "Grant",
    "Limits",
    "SafeStep",
    "Supervisor",
    "Thresholds",
    "Transition",
    "available",
    "expired",
    "load",
    "markdown",
    "profile_limits",
]


def available() -> tuple[str, ...]:
    """Names of the effector profiles."""
    return registry.available(__name__)


def load(name: str) -> Effector:
    """The profile of that name."""
    found: Effector = registry.load(__name__, name, "EFFECTOR")
    return found
