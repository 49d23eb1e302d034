"""Hot-spots of the lumbar cord in the phase of the stride, while the cortex means to walk.

The walking mode of a brain-spine interface (Lorach et al. 2023, doi:10.1038/s41586-023-06094-5): epidural ECoG of
the leg areas says whether walking is meant, the shanks say where in the stride the legs are, and current flows
only where both agree. Either alone gives none: not a thought while the person stands, and not legs that somebody
else moves. Phases, programme, visits and endpoints are proposals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.devices import simulated_participant
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
    WALK,
    entries,
    figures,
    phase,
)
from workbench.systems._system import (
    SIGNAL,
    Beside,
    Input,
    PlannedEndpoint,
    Simulator,
    System,
    Task,
    words,
)
from workbench.vocabulary import StreamSpec

CORTEX = "ecog"
INTENT = 0.9
"""Least probability of walking, as the cortex has it, from which a block of the stride is let through. A moment
that is missed costs a part of a swing; one that is let through wrongly moves somebody who does not mean it."""

CORTEX_PRESET: dict[str, Any] = {"preset": "gait", "source_id": f"{SIGNAL}-{CORTEX}"}
ARRAYS = replace(simulated_participant.spec(CORTEX_PRESET), role=CORTEX)


def both(signal: StreamSpec) -> dict[str, Any]:
    """The phase of the left shank, which counts while the cortex means to walk.

    Rest against a movement that lasts, at every hop, is what ``bandpower_lda`` is for: its hidden Markov gate adds
    evidence up, so that no single window of the cortex opens or closes it, and its running mean of rest follows
    the signal over a session.
    """
    return {
        "members": {
            "signal": {"decoder": "cycle_phase", "params": phase(signal)},
            CORTEX: {"decoder": "bandpower_lda"},
        },
        "gates": {CORTEX: [WALK, INTENT]},
        # Without the cortex nobody knows what is meant, and nothing is decided.
        "critical": ["signal", CORTEX],
    }


STANDING = PlannedEndpoint(
    "standing",
    words("Walking decided while standing", "站立时的步行误判"),
    role="secondary",
    measured_by=("false_per_min",),
    variable=words(
        "Onsets of walking a minute that were decided outside of the asked bouts of the online runs, by day.",
        "在线运行中要求步行的时段之外每分钟判定的步行起始次数，按日统计。",
    ),
)

SYSTEM = System(
    name="brain_spine_walking",
    title=words(
        "Brain-spine interface, walking: the cortex and the stride together",
        "脑脊接口步行模式：皮层意图与步态相位联合",
    ),
    inputs=(
        GYROSCOPES,
        Input(
            CORTEX,
            "ECoG",
            at_least_channels=8,
            at_most_channels=256,
            # Below, the decoder would leave out high gamma.
            at_least_hz=500.0,
            words=words("electrodes over the leg areas of both hemispheres", "双侧运动皮层下肢区电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "walk",
            words("Walk in body-weight support, by intent", "意图控制的减重步行"),
            paradigm="cycle_rest",
            params=BOUTS.params(),
            decoder="gating",
            decoder_params=both,
            law=LAW,
            trials=(5, 5),
        ),
    ),
    procedures=("calibration", "online"),
    published=words(
        "Built after a published interface of two cortical implants that stimulates the cord while walking is "
        "meant (Lorach et al. 2023) and after spatiotemporal stimulation (Wagner et al. 2018). Decoder, joining "
        "of cortex and stride, phases and currents are proposals; programme and limits are invented examples. The "
        "cortex, the legs and the stimulator of a simulation are simulated, each for itself: the cortex is as "
        "active in walking as in attempts at the joints, no current shows in it, and nobody falls.",
        "依据已发表的双侧皮层植入物步行脑脊接口（Lorach 等，2023）及时空刺激（Wagner 等，2018）构建。"
        "解码器、皮层与步态的联合方式、相位和电流均为建议值，刺激程序和限值为虚构示例。"
        "模拟会话中的皮层、下肢和刺激器均各自模拟：步行时皮层活动与尝试各关节动作时相当，"
        "刺激电流不影响皮层信号，且不会跌倒。",
    ),
    effector="epidural",
    stimulation=PROGRAMME,
    checks=(
        *CHECKS,
        words(
            "The person was told that current flows only while walking is meant, and ends when it no longer is.",
            "已告知受试者：仅在意图行走时才有电流，意图停止后电流即止。",
        ),
    ),
    visits=VISITS,
    endpoints=MEASURED,
    forms=FORMS,
    own_forms=(SWINGS,),
    planned=(*ENDPOINTS, STANDING),
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=(
        *NOT_SUPPLIED,
        words(
            "How far current in the cord shows in the ECoG of a person, and what takes it out there.",
            "脊髓刺激电流在个体皮层脑电中的伪迹程度及其去除方法。",
        ),
    ),
    out_of_scope=(
        AT_ONCE,
        words(
            "A current that follows how strongly walking is meant: the cortex opens and closes, and the programme "
            "says how much.",
            "随行走意图强度变化的电流：皮层信号仅决定通断，电流大小由刺激程序给出。",
        ),
        words(
            "Which leg the cortex means: the stride alone says whose hot-spot it is.",
            "由皮层判断左右腿：热点侧别仅由步态相位决定。",
        ),
        REAL_STIMULATOR,
    ),
    simulator=Simulator(
        "simulated_spinal_participant",
        PRESET,
        contract=(SHANKS, ARRAYS),
        source=words(
            "simulated participant: angular velocity of both shanks at 100 Hz, steps in body-weight support, and "
            "32-channel epidural ECoG of both leg areas at 500 Hz; simulated epidural stimulator",
            "模拟受试者：双侧小腿角速度，100 Hz，减重步行；"
            "双侧下肢区 32 通道硬膜外皮层脑电，500 Hz；模拟硬膜外刺激器",
        ),
        beside=(Beside("simulated_participant", CORTEX_PRESET, roles=(CORTEX,)),),
    ),
    figures=figures,
    entries=entries,
)
