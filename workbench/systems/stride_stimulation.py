"""The phase of the stride, read from the shanks, stimulates one hot-spot of the lumbar cord after another.

The arrangement is that of published spatiotemporal stimulation (Wagner et al. 2018,
doi:10.1038/s41586-018-0649-2), without the cortex. Phases, programme, visits and endpoints are proposals.
"""

from __future__ import annotations

from workbench.systems._prices import PLACEMENT, REMOVAL
from workbench.systems._shared import CUES_OF_OTHERS
from workbench.systems._stride import (
    AT_ONCE,
    BOUTS,
    CHECKS,
    ENDPOINTS,
    FORMS,
    GYROSCOPES,
    LAW,
    MEASURED,
    NOT_SUPPLIED,
    PRESET,
    PROGRAMME,
    REAL_STIMULATOR,
    SHANKS,
    SWINGS,
    VISITS,
    entries,
    figures,
    phase,
)
from workbench.systems._system import Simulator, System, Task, words

SYSTEM = System(
    name="stride_stimulation",
    title=words("Epidural stimulation in the phase of the stride", "步态相位触发的硬膜外刺激"),
    inputs=(GYROSCOPES, CUES_OF_OTHERS),
    tasks=(
        Task(
            "walk",
            words("Walk in body-weight support", "减重步行"),
            paradigm="cycle_rest",
            params=BOUTS.params(),
            decoder="cycle_phase",
            decoder_params=phase,
            law=LAW,
            trials=(5, 5),
        ),
    ),
    procedures=("calibration", "online"),
    published=words(
        "Built after published spatiotemporal stimulation of the cord (Wagner et al. 2018), whose bursts follow "
        "the trajectory of the feet; the phase here comes from a shank's angular velocity, and phases and "
        "currents are proposals. Programme and limits are invented examples. The participant and the stimulator "
        "of a simulation are simulated; the simulated legs take a stimulated hip flexion as a part of the drive "
        "of a swing, and nobody falls.",
        "依据已发表的脊髓时空刺激（Wagner 等，2018）构建，其刺激随足部轨迹触发；"
        "此处的相位取自小腿角速度，相位与电流均为建议值，刺激程序和限值为虚构示例。"
        "模拟会话中的受试者和刺激器均为模拟；模拟下肢将受刺激的屈髋计入摆动驱动，且不会跌倒。",
    ),
    effector="epidural",
    stimulation=PROGRAMME,
    checks=CHECKS,
    visits=VISITS,
    endpoints=MEASURED,
    forms=FORMS,
    own_forms=(SWINGS,),
    planned=ENDPOINTS,
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=NOT_SUPPLIED,
    out_of_scope=(
        AT_ONCE,
        words(
            "The cortex as the intent beside the stride: the system brain_spine_walking has it.",
            "在步态之外以皮层信号为意图：见系统 brain_spine_walking。",
        ),
        REAL_STIMULATOR,
    ),
    simulator=Simulator(
        "simulated_spinal_participant",
        PRESET,
        contract=(SHANKS,),
        source=words(
            "simulated participant: angular velocity of both shanks at 100 Hz, steps in body-weight support; "
            "simulated epidural stimulator",
            "模拟受试者：双侧小腿角速度，100 Hz，减重步行；模拟硬膜外刺激器",
        ),
    ),
    figures=figures,
    entries=entries,
)
