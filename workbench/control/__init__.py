"""From decisions to commands: state machine, safety supervisor, effector profiles. The folder is the register.

An entry defines ``EFFECTOR``, an :class:`Effector` profile. :class:`Controller` takes decisions and is the
only maker of commands. ``docs/hazards.md`` lists hazard, control and test. Research use; not a medical device.
"""

from __future__ import annotations

from workbench import registry
from workbench.control._conditions import CONDITIONS, Condition
from workbench.control._controller import Controller
from workbench.control._device import DeviceReports
from workbench.control._evoked import EcapLaw, EcapState, next_pulse, next_stride
from workbench.control._grant import Grant
from workbench.control._inputs import Entry, Input
from workbench.control._law import LAWS, ControlLaw, check_law
from workbench.control._link import expired
from workbench.control._operator import Act, OperatorActs
from workbench.control._profile import ACTIONS, Effector, Law, LimitRule, SafeStep
from workbench.control._recomputing import Given, charge_of, given, of_this_version, recompute, state_entry
from workbench.control._schedule import SCHEDULE, SCHEDULED, Move, MoveSchedule, Step, draw_moves, moves_of
from workbench.control._self_test import SELF_TEST_ITEMS
from workbench.control._snapshot import ConfirmedStatus, EffectorStatus
from workbench.control._stimulation import check_stimulation
from workbench.control._stimulation_status import StimulationStatus
from workbench.control._supervisor import Limits, Supervisor, check_limits, profile_limits
from workbench.control._table import (
    ARMED_OR_ENGAGED,
    EVENTS,
    FAULTS,
    MEANING,
    SAFE,
    STATES,
    TABLE,
    State,
    Thresholds,
    Transition,
    markdown,
)

__all__ = [
    "ACTIONS",
    "ARMED_OR_ENGAGED",
    "CONDITIONS",
    "EVENTS",
    "FAULTS",
    "LAWS",
    "MEANING",
    "SAFE",
    "SCHEDULE",
    "SCHEDULED",
    "SELF_TEST_ITEMS",
    "STATES",
    "TABLE",
    "Act",
    "Condition",
    "ConfirmedStatus",
    "ControlLaw",
    "Controller",
    "DeviceReports",
    "EcapLaw",
    "EcapState",
    "Effector",
    "EffectorStatus",
    "Entry",
    "Given",
    "Grant",
    "Input",
    "Law",
    "LimitRule",
    "Limits",
    "Move",
    "MoveSchedule",
    "OperatorActs",
    "SafeStep",
    "State",
    "StimulationStatus",
    "Step",
    "Supervisor",
    "Thresholds",
    "Transition",
    "available",
    "check_law",
    "charge_of",
    "check_limits",
    "check_stimulation",
    "draw_moves",
    "expired",
    "given",
    "load",
    "markdown",
    "moves_of",
    "next_pulse",
    "next_stride",
    "of_this_version",
    "profile_limits",
    "recompute",
    "state_entry",
]


def available() -> tuple[str, ...]:
    """Names of the effector profiles."""
    return registry.available(__name__)


def load(name: str) -> Effector:
    """The profile of that name."""
    profile: Effector = registry.load(__name__, name, "EFFECTOR")
    return profile
