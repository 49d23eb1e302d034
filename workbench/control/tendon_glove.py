"""Motor-driven glove: its grip follows a level. Defaults [D] are set by the protocol of a study.

Lost commands or a fault: hold up to 1 s, then let go slowly (a dropped hot cup, a trapped finger).
E-stop: let go at once. A hand without sensation gets pressure injuries: hold limit, reminder, dose, skin check.
"""

from __future__ import annotations

from workbench.control._profile import Effector, SafeStep
from workbench.messages import Message

EFFECTOR = Effector(
    name="tendon_glove",
    profile="tendon_glove",
    title=Message("effector.tendon_glove"),
    level_unit="greatest grip",
    on_fault=(SafeStep("hold", keep_level=True), SafeStep("release", after_s=1.0, ramp_ms=3000)),
    on_estop=(SafeStep("stop"),),
    ramp_ms=0,
    release_ramp_ms=300,
    hold_limit_s=30.0,
    hold_reminder_s=20.0,
    refractory_s=0.5,
    slew_per_s=2.0,  # [D] from open to the greatest grip in half a second
    dose_s=3600.0,
    skin_check=True,
)
