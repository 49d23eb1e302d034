"""A simulator of bad luck: the real code under a virtual clock, disk and network, replayable from a seed.

``docs/simulation.md`` says what is simulated and what is not.
"""

from __future__ import annotations

from workbench.simulation.life import Life, Lived
from workbench.simulation.lives import lives
from workbench.simulation.scene import DEPTHS, HAND, Scene, clinic_of, template
from workbench.simulation.trial_life import TrialLife

__all__ = ["DEPTHS", "HAND", "Life", "Lived", "Scene", "TrialLife", "clinic_of", "lives", "template"]
