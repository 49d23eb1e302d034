"""Attempts of both legs in scalp EEG, asked for by a cue; when one is found, the lumbar cord is stimulated once.

For whoever has a stimulator of the cord and no electrodes on the cortex, or no longer has them: a trial is
registered in which one person goes from implanted electrodes to those on the scalp (NCT07457645). Stimulator,
programme and limits are those of the brain-spine interface; visits and endpoints are proposals.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems import brain_spine_interface as implanted
from workbench.systems._shared import CUES_OF_OTHERS, SENSORIMOTOR_EEG
from workbench.systems._system import SIGNAL, Simulator, System, Task, words

PRESET = {"preset": "eeg", "source_id": SIGNAL}
HANDS, FEET = "hands", "feet"
SHARE = 0.7
"""Of the approved current: what is read less surely stimulates less. A site states its own by its programme."""
BOTH_LEGS = tuple(SHARE if at % 3 == 0 else 0.0 for at in range(6)) + (0.0, 0.0)
"""Share of each channel of the stimulator: the hips of both sides, which lift the legs."""

SYSTEM = System(
    name="scalp_spine_interface",
    title=words("Scalp EEG to epidural stimulation of the cord", "头皮脑电控制脊髓硬膜外刺激"),
    inputs=(SENSORIMOTOR_EEG, CUES_OF_OTHERS),
    tasks=(
        Task(
            "cued",
            words("Attempt to move the feet, or the hands, after a cue", "按提示尝试移动双脚或双手"),
            paradigm="left_right",
            params={"conditions": [HANDS, FEET]},
            decoder="tangent_space_lda",
            # One decision a cue: feet stimulate the hot-spots of both hips once, hands do not.
            law=ControlLaw("trigger", (FEET,), trigger_s=implanted.BURST_S, patterns=((FEET, BOTH_LEGS),)),
            trials=(60, 20),
        ),
    ),
    procedures=implanted.SYSTEM.procedures,
    published=words(
        "No result is published: registered trials name scalp EEG that controls epidural stimulation of the cord "
        "(NCT07457645, ChiCTR2500107980). The decoder is a usual one of the literature. Programme and limits are "
        "invented examples. The participant and the stimulator of a simulation are simulated; the legs are not, "
        "and nothing is felt of the current.",
        "尚无已发表结果：已注册试验提及以头皮脑电控制脊髓硬膜外刺激（NCT07457645、ChiCTR2500107980）。"
        "解码器为文献中的常用方法。刺激程序和限值均为虚构示例。"
        "模拟会话中的受试者和刺激器均为模拟；不模拟下肢，受试者对电流无感觉。",
    ),
    effector=implanted.SYSTEM.effector,
    # The same lead in the same person.
    stimulation=implanted.SYSTEM.stimulation,
    checks=implanted.SYSTEM.checks,
    visits=implanted.SYSTEM.visits,
    endpoints=implanted.SYSTEM.endpoints,
    forms=implanted.SYSTEM.forms,
    own_forms=implanted.SYSTEM.own_forms,
    planned=tuple(
        replace(
            one,
            title=words("Attempts decoded right", "尝试解码正确率"),
            variable=words(
                "Share of cues whose attempt was decided, feet and hands apart, by day.",
                "解码正确的提示所占比例，双脚与双手分别统计，按日统计。",
            ),
        )
        if one.name == "states"
        else one
        for one in implanted.ENDPOINTS
    ),
    price_items=implanted.SYSTEM.price_items,
    not_supplied=implanted.SYSTEM.not_supplied[1:],
    out_of_scope=(
        words(
            "Single joints: scalp EEG does not tell them apart surely enough to stimulate for each its own "
            "hot-spot.",
            "单个关节：头皮脑电无法足够可靠地区分各关节，因而不分别刺激其热点。",
        ),
        implanted.SYSTEM.out_of_scope[-1],
    ),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 16-channel scalp EEG at 250 Hz; simulated epidural stimulator",
            "模拟受试者，16 通道头皮脑电，250 Hz；模拟硬膜外刺激器",
        ),
    ),
)
