"""Attempted grasp, self-paced, by implanted electrodes over the hand area; a glove follows.

Visits and endpoints are those that the registry entry NCT06990412 lists, with what its first case reported
(medRxiv 2024.09.05.24313041); the windows of the visits are proposals.
"""

from __future__ import annotations

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.study.forms import Form, Item
from workbench.systems._prices import CODES_NOT_SUPPLIED, PLACEMENT, REMOVAL
from workbench.systems._shared import (
    BASELINE,
    CUES_OF_OTHERS,
    FINGERS_FREE,
    GLOVE_LEVELS,
    GLOVE_PROCEDURES,
    SKIN_CHECKED,
)
from workbench.systems._system import (
    SIGNAL,
    Input,
    PlannedEndpoint,
    PlannedVisit,
    Simulator,
    System,
    Task,
    words,
)

PRESET = {"preset": "neo", "source_id": SIGNAL}

CLINICAL = ("arat", "isncsci", "grassp_v2")

WITH_THE_GLOVE = "assisted+device"
ASSISTED_ARAT = Form(
    "arat_assisted", words("ARAT with the glove", "佩戴手套的 ARAT"), measure="arat", state=WITH_THE_GLOVE
)  # fmt: skip
"""The same test as that without the glove, of the same person: the two of a visit are a pair."""

OBJECT_TRANSFER = Form(
    "object_transfer",
    words("Object transfer with the glove", "佩戴手套的物体转移"),
    state=WITH_THE_GLOVE,
    items=(
        Item(
            "attempted",
            words("Transfers attempted", "尝试转移次数"),
            "integer",
            least=0,
            greatest=1000,
            required=True,
        ),
        Item(
            "done", words("Transfers completed", "完成转移次数"), "integer", least=0, greatest=1000, required=True
        ),
        Item("remarks", words("Remarks", "备注"), "text"),
    ),
)
SEP = Form(
    "sep",
    words("Somatosensory evoked potential", "体感诱发电位"),
    items=(
        Item("side", words("Side stimulated", "刺激侧"), "choice", choices=("left", "right"), required=True),
        Item("nerve", words("Nerve stimulated", "刺激神经"), "choice", choices=("median", "ulnar"), required=True),
        Item(
            "peak_uv",
            words("Peak amplitude", "峰值幅度"),
            "number",
            unit="uV",
            least=0,
            greatest=1000,
            required=True,
        ),
        Item("latency_ms", words("Latency of the peak", "峰潜伏期"), "number", unit="ms", least=0, greatest=500),
    ),
)
DEVICE_PERFORMANCE = Form(
    "device_performance",
    words("Device performance, by the investigator", "器械性能（研究者评价）"),
    items=(
        Item(
            "works", words("The device works as intended", "器械按预期工作"), "choice",
            choices=("yes", "with_help", "no"), required=True,
        ),
        Item(
            "faults", words("Faults since the last visit", "上次访视以来的故障次数"), "integer", least=0,
            required=True,
        ),
        Item("days_used", words("Days used since the last visit", "上次访视以来的使用天数"), "integer", least=0),
        Item("remarks", words("Remarks", "备注"), "text"),
    ),
)  # fmt: skip

ENDPOINTS = (
    PlannedEndpoint(
        "assisted_arat_response",
        words("Response of the assisted ARAT at month 3", "第 3 个月辅助下 ARAT 应答"),
        role="primary",
        measured_by=("arat", "arat_assisted"),
        variable=words(
            "Responder by the ARAT of the trained side: with the device at Month 3, against device off at "
            "Baseline. It shows what the device does for the hand, not recovery.",
            "按训练侧 ARAT 判定的应答者：第 3 个月佩戴器械，与基线不佩戴器械比较。"
            "反映器械对手功能的辅助作用，而非功能恢复。",
        ),
        summary=words(
            "Responders of all participants, with the exact 95 % interval.",
            "应答者占全部受试者的比例及其精确 95 % 区间。",
        ),
    ),
    PlannedEndpoint(
        "assisted_arat",
        words("Assisted ARAT at months 2 and 6", "第 2、6 个月辅助下 ARAT"),
        role="secondary",
        measured_by=("arat", "arat_assisted"),
        variable=words(
            "ARAT total of the trained side with the device at Months 2 and 6, less that with the device off at "
            "Baseline.",
            "第 2、6 个月佩戴器械时训练侧 ARAT 总分减去基线不佩戴器械时的总分。",
        ),
    ),
    PlannedEndpoint(
        "unassisted_arat",
        words("ARAT with the device off", "不佩戴器械的 ARAT"),
        role="secondary",
        measured_by=("arat",),
        variable=words(
            "Change of the ARAT total of the trained side, device off, from Baseline to Months 3 and 6.",
            "训练侧不佩戴器械的 ARAT 总分自基线至第 3、6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "uems",
        words("Motor score of the upper limbs", "上肢运动评分"),
        role="secondary",
        measured_by=("isncsci",),
        variable=words(
            "Change of the upper extremity motor score (ISNCSCI), and of the AIS grade, from Baseline to Months 3 "
            "and 6.",
            "上肢运动评分（ISNCSCI）及 AIS 分级自基线至第 3、6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "grassp",
        words("Strength, sensibility and prehension", "肌力、感觉与抓握"),
        role="secondary",
        measured_by=("grassp_v2",),
        variable=words(
            "Change of each subtest of the GRASSP of the trained side, device off, from Baseline to Months 3 and "
            "6.",
            "训练侧不佩戴器械时 GRASSP 各分测验自基线至第 3、6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "object_transfer",
        words("Object transfer", "物体转移"),
        role="secondary",
        measured_by=("object_transfer",),
        variable=words(
            "Transfers completed of those attempted, with the device, at Months 2, 3 and 6.",
            "第 2、3、6 个月佩戴器械时完成转移次数占尝试次数的比例。",
        ),
    ),
    PlannedEndpoint(
        "sep",
        words("Evoked potential", "诱发电位"),
        role="secondary",
        measured_by=("sep",),
        variable=words(
            "Change of the peak amplitude of the somatosensory evoked potential of each nerve, from Baseline to "
            "Months 3 and 6.",
            "各神经体感诱发电位峰值幅度自基线至第 3、6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "detection",
        words("Detection of attempted grasps", "抓握尝试检测"),
        role="secondary",
        measured_by=("f1", "false_per_min", "onset_s"),
        variable=words(
            "Event F1, false activations a minute and latency of the online runs, by day.",
            "在线运行的事件 F1、每分钟误触发次数和潜伏期，按日统计。",
        ),
    ),
    PlannedEndpoint(
        "device_performance",
        words("Device performance", "器械性能"),
        role="secondary",
        measured_by=("device_performance",),
        variable=words(
            "Visits at which the device works as intended, of all visits, and faults since the last visit.",
            "器械按预期工作的访视占全部访视的比例，以及上次访视以来的故障次数。",
        ),
    ),
    PlannedEndpoint(
        "adverse_events",
        words("Adverse events", "不良事件"),
        role="safety",
        measured_by=("adverse_events", "implant_days"),
        variable=words(
            "Adverse events, and serious ones related to the device, for each implant-day.",
            "每植入日的不良事件数及与器械相关的严重不良事件数。",
        ),
    ),
)

SYSTEM = System(
    name="neo_hand",
    title=words("Implanted electrodes over the hand area, glove", "手区植入电极与手套"),
    inputs=(
        Input(
            "signal",
            "ECoG",
            at_least_channels=2,
            at_most_channels=64,
            at_least_hz=500.0,
            words=words("epidural or subdural electrodes over the hand area", "手区硬膜外或硬膜下电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "self_paced",
            words("Attempted grasp, self-paced", "自主节奏的尝试抓握"),
            paradigm="grasp_rest",
            decoder="bandpower_lda",
            law=ControlLaw("hold"),
        ),
    ),
    procedures=GLOVE_PROCEDURES,
    settings=GLOVE_LEVELS,
    published=words(
        "Rate, bands, decoder and latency of the implant's own system are not published: the values here are "
        "proposals. The participant and the glove of a simulation are simulated.",
        "该植入系统自身的采样率、频带、解码器和延迟均未公开：此处数值为建议值。模拟会话中的受试者和手套均为模拟。",
    ),
    effector="glove",
    checks=(
        SKIN_CHECKED,
        FINGERS_FREE,
    ),
    visits=(
        PlannedVisit("Baseline", BASELINE.day, BASELINE.earliest, BASELINE.latest, forms=(*CLINICAL, "sep")),
        PlannedVisit(
            "Month 2",
            day=60,
            earliest=46,
            latest=74,
            forms=("arat_assisted", "object_transfer", "device_performance"),
        ),
        PlannedVisit("Month 3", day=90, earliest=76, latest=104),
        PlannedVisit("Month 6", day=180, earliest=159, latest=201),
    ),
    endpoints=("arat", "isncsci", "grassp_v2", "f1", "false_per_min", "onset_s"),
    forms=("arat", "isncsci"),
    own_forms=(ASSISTED_ARAT, OBJECT_TRANSFER, SEP, DEVICE_PERFORMANCE),
    planned=ENDPOINTS,
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=(
        words("Sampling rate and bands of the implant.", "植入体的采样率和频带。"),
        words("Decoder of the implant's own system, and its calibration.", "该植入系统自身的解码器及其校准方法。"),
        words("Latency from the attempt to the glove.", "从尝试动作到手套动作的延迟。"),
        words(
            "The gain in ARAT that makes a responder: an analysis refuses until its plan names one.",
            "判定应答者所需的 ARAT 增益：分析计划指明之前，分析将拒绝执行。",
        ),
        words(
            "The investigator's form of device performance: its items here are proposals.",
            "研究者器械性能表：此处条目为建议值。",
        ),
        CODES_NOT_SUPPLIED,
    ),
    out_of_scope=(
        words(
            "Planning of the operation and placing of the electrodes: they end before there is a stream to read.",
            "手术规划与电极放置：在产生可读信号流之前即已结束。",
        ),
        words(
            "Power and radio of the implant: its maker's receiver delivers the samples, and losses are seen in "
            "the stream.",
            "植入体的供电和无线链路：样本由厂家接收器提供，丢失情况可从信号流中看到。",
        ),
        words(
            "Driving a real glove: its driver comes with it and keeps the protocol of effectors.",
            "驱动真实手套：驱动程序由手套附带，并遵守执行器协议。",
        ),
    ),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
            "模拟受试者，8 通道硬膜外皮层脑电，1 kHz；模拟手套",
        ),
    ),
)
