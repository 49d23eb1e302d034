"""Every sentence that explains an ISNCSCI result, in English and Chinese. Own words throughout."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Text(NamedTuple):
    """A sentence or clause in both languages."""

    en: str
    zh: str


TEXTS: dict[str, tuple[str, str]] = {
    "rules": (
        "Rules: {0}, rule book {1}; missing VAC in the NLI: {2}; non-key muscle in the motor ZPP: {3}.",
        "规则：{0}，规则库 {1}；NLI 对缺失 VAC 的处理：{2}；运动 ZPP 中的非关键肌：{3}。",
    ),
    "open": (
        "Untested (NT) or tagged cells, each replaced by every score it can stand for: {0}.",
        "未测试（NT）或带标记的单元格，均以其可能的每个分值代入：{0}。",
    ),
    # levels
    "sensory.break": (
        "{1} (light touch {2}, pin prick {3}) is the first dermatome that is not 2/2; the level is the segment "
        "above it: {0}.",
        "{1}（轻触觉 {2}，针刺觉 {3}）是自头端起第一个不是 2/2 的皮节，感觉平面为其上一节段：{0}。",
    ),
    "sensory.intact": (
        "Every dermatome from C2 to S4-5 is 2/2: INT (intact).",
        "C2 至 S4-5 所有皮节均为 2/2：INT（完好）。",
    ),
    "motor.dermatome": (
        "No key muscle sets the level, so it follows the dermatomes; {1} (light touch {2}, pin prick {3}) is the "
        "first that is not 2/2: {0}.",
        "此处无关键肌决定平面，运动平面随皮节而定；{1}（轻触觉 {2}，针刺觉 {3}）是第一个不是 2/2 的皮节：{0}。",
    ),
    "motor.strong": (
        "{0} has grade {1}, which is at least 3, and everything above it is normal: {0}.",
        "{0} 肌力为 {1} 级（至少 3 级），其以上均正常：{0}。",
    ),
    "motor.weak": (
        "{1} has grade {2}, which is below 3; the level is the segment above it: {0}.",
        "{1} 肌力为 {2} 级（低于 3 级），运动平面为其上一节段：{0}。",
    ),
    "motor.stop": (
        "The key muscles down to {0} are 5, but dermatome {1} (light touch {2}, pin prick {3}) is not 2/2; the "
        "level does not pass {0}.",
        "至 {0} 的关键肌均为 5 级，但皮节 {1}（轻触觉 {2}，针刺觉 {3}）不是 2/2，运动平面不越过 {0}。",
    ),
    "motor.intact": (
        "Every key muscle is 5, every dermatome 2/2, and there is VAC: INT (intact).",
        "所有关键肌为 5 级，所有皮节为 2/2，且有 VAC：INT（完好）。",
    ),
    "motor.no_vac": (
        "Every key muscle is 5 and every dermatome 2/2, but there is no VAC: S3.",
        "所有关键肌为 5 级，所有皮节为 2/2，但无 VAC：S3。",
    ),
    "nli": (
        "Most rostral of sensory right {1} and left {2}, motor right {3} and left {4}: {0}.",
        "取右侧感觉 {1}、左侧感觉 {2}、右侧运动 {3}、左侧运动 {4} 中最靠头端者：{0}。",
    ),
    "nli.praxis": (
        "Most rostral of sensory right {1} and left {2}, motor right {3} and left {4}, where a motor level S3 "
        "that only the missing VAC causes counts as intact: {0}.",
        "取右侧感觉 {1}、左侧感觉 {2}、右侧运动 {3}、左侧运动 {4} 中最靠头端者，"
        "仅因无 VAC 而得的运动平面 S3 视为完好：{0}。",
    ),
    # completeness and AIS
    "complete.C": (
        "No VAC, no DAP, and all four S4-5 scores are 0: no sacral sparing, complete (C).",
        "无 VAC，无 DAP，四个 S4-5 评分均为 0：无骶段保留，完全性损伤（C）。",
    ),
    "complete.I": ("Sacral sparing ({0}): incomplete (I).", "有骶段保留（{0}）：不完全性损伤（I）。"),
    "ais.A": (
        "Complete injury, no sacral sparing: A, whatever the muscles elsewhere do.",
        "完全性损伤，无骶段保留：A，与其他肌肉的功能无关。",
    ),
    "ais.B": (
        "Sacral sensation, no VAC, and no motor function more than three levels below the motor level of either "
        "side: B.",
        "有骶段感觉，无 VAC，且两侧运动平面以下超过三个节段均无运动功能：B。",
    ),
    "ais.C": (
        "Motor incomplete ({0}); {1} of {2} key muscles below the NLI {3} (both sides) have grade 3 or more, less "
        "than half: C.",
        "运动不完全性（{0}）；NLI {3} 以下两侧共 {2} 块关键肌中有 {1} 块达 3 级或以上，不足一半：C。",
    ),
    "ais.D": (
        "Motor incomplete ({0}); {1} of {2} key muscles below the NLI {3} (both sides) have grade 3 or more, at "
        "least half: D.",
        "运动不完全性（{0}）；NLI {3} 以下两侧共 {2} 块关键肌中有 {1} 块达 3 级或以上，至少一半：D。",
    ),
    "ais.E": (
        "All four levels are INT and there is VAC: E, only with a documented earlier deficit.",
        "四个平面均为 INT 且有 VAC：E，仅在既往有记录的神经功能缺损时成立。",
    ),
    "why.vac": ("VAC", "有 VAC"),
    "why.dap": ("DAP", "有 DAP"),
    "why.right": ("S4-5 sensation right", "右侧 S4-5 感觉"),
    "why.left": ("S4-5 sensation left", "左侧 S4-5 感觉"),
    "why.far_right": (
        "function more than three levels below the right motor level {0}",
        "右侧运动平面 {0} 以下超过三个节段有运动功能",
    ),
    "why.far_left": (
        "function more than three levels below the left motor level {0}",
        "左侧运动平面 {0} 以下超过三个节段有运动功能",
    ),
    # zones of partial preservation
    "zpp_sensory.NA": (
        "DAP, or sensation at S4-5 on this side: not applicable.",
        "有 DAP，或该侧 S4-5 有感觉：不适用（NA）。",
    ),
    "zpp_sensory.level": (
        "{0} (light touch {1}, pin prick {2}) is the most caudal dermatome with any sensation: {0}.",
        "{0}（轻触觉 {1}，针刺觉 {2}）是最靠尾端的仍有感觉的皮节：{0}。",
    ),
    "zpp_sensory.none": ("No dermatome of this side has any sensation: C1.", "该侧所有皮节均无感觉：C1。"),
    "zpp_motor.NA": ("There is VAC: not applicable.", "有 VAC：不适用（NA）。"),
    "zpp_motor.muscle": (
        "{0} (grade {1}) is the most caudal key muscle with any function: {0}.",
        "{0}（{1} 级）是最靠尾端的仍有功能的关键肌：{0}。",
    ),
    "zpp_motor.level": (
        "No key muscle below the motor level has any function: the motor level {0}.",
        "运动平面以下的关键肌均无功能：取运动平面 {0}。",
    ),
    "zpp_motor.non_key": (
        "The non-key muscle at {0} counts, more than three levels below: {0}.",
        "{0} 的非关键肌位于超过三个节段以下，予以计入：{0}。",
    ),
    # sums
    "totals": (
        "Examined scores added, tags ignored: UEMS {0}, LEMS {1}, light touch {2}, pin prick {3}.",
        "按检查所得分值相加（忽略标记）：UEMS {0}，LEMS {1}，轻触觉 {2}，针刺觉 {3}。",
    ),
    "totals.ND": (
        "Examined scores added, tags ignored: UEMS {0}, LEMS {1}, light touch {2}, pin prick {3}. A sum with an "
        "untested cell is not determinable (ND); nothing is prorated.",
        "按检查所得分值相加（忽略标记）：UEMS {0}，LEMS {1}，轻触觉 {2}，针刺觉 {3}。"
        "含未测试单元格的总分无法确定（ND），不按比例推算。",
    ),
    # several possible values
    "one": ("{0} in every substitution: {1}.", "所有代入均得 {0}：{1}。"),
    "many": ("Not determinable, one of {0}: {1}.", "无法确定，为 {0} 之一：{1}。"),
    # the cells that decide
    "decide.test": ("Test {0}: {1}.", "检查{0}：{1}。"),
    "decide.tagged": ("{0} ({1}): {2}.", "{0}（{1}）：{2}。"),
    "decide.together": ("These cells decide together: {0}.", "由以下单元格共同决定：{0}。"),
    "decide.gives": ("{0} gives {1}", "{0} 得 {1}"),
    "decide.leaves": ("{0} leaves {1}", "{0} 则仍为 {1}"),
    "decide.or": ("{0} or {1}", "{0} 或 {1}"),
    "decide.between": ("{0} to {1}", "{0} 至 {1}"),
    "decide.below": ("below {0}", "低于 {0}"),
    "decide.least": ("{0} or more", "{0} 或以上"),
    "cell.motor": ("{0} {1}", "{0} {1}"),
    "cell.lightTouch": ("{0} light touch {1}", "{0}轻触觉 {1}"),
    "cell.pinPrick": ("{0} pin prick {1}", "{0}针刺觉 {1}"),
    "cell.voluntaryAnalContraction": ("VAC", "VAC"),
    "cell.deepAnalPressure": ("DAP", "DAP"),
    "Yes": ("Yes", "有"),
    "No": ("No", "无"),
    "count": (
        "Key muscles of grade 3 or more below the NLI, both sides: {0}.",
        "NLI 以下两侧达 3 级或以上的关键肌：{0}。",
    ),
    "count.one": ("{0} of {1} below {2} ({3} or more give D)", "{2} 以下 {1} 块中有 {0} 块（{3} 块或以上得 D）"),
    "count.range": (
        "{0} to {1} of {2} below {3} ({4} or more give D)",
        "{3} 以下 {2} 块中有 {0} 至 {1} 块（{4} 块或以上得 D）",
    ),
    "count.none": ("none below {0}, which gives D", "{0} 以下无关键肌，得 D"),
    "untagged": ("With the tags ignored it would be {0}.", "若忽略标记则为 {0}。"),
    "where": ("{0} where {1}", "若 {1} 则为 {0}"),
    "otherwise": ("otherwise {0}", "否则{0}"),
    "if.dermatome": ("{0} ({1}, {2}) is not 2/2", "{0}（{1}，{2}）不是 2/2"),
    "if.intact": ("everything is normal", "一切正常"),
    "if.no_vac": ("everything but VAC is normal", "除 VAC 外均正常"),
    "if.strong": ("{0} ({1}) is 3 or 4 and stops the level", "{0}（{1}）为 3 或 4 级而决定平面"),
    "if.weak": ("{0} ({1}) is below 3", "{0}（{1}）低于 3 级"),
    "if.stop": (
        "the muscles down to {0} are 5 and a dermatome beside them is not 2/2",
        "至 {0} 的肌肉均为 5 级而相应皮节不是 2/2",
    ),
    "if.nli": (
        "the most rostral of sensory right {0} and left {1}, motor right {2} and left {3}, taken together in each "
        "substitution",
        "每次代入取右侧感觉 {0}、左侧感觉 {1}、右侧运动 {2}、左侧运动 {3} 中最靠头端者",
    ),
    "if.complete.C": ("there is no VAC, no DAP and no S4-5 sensation", "无 VAC、无 DAP 且无 S4-5 感觉"),
    "if.complete.I": ("there is VAC, DAP or S4-5 sensation", "有 VAC、DAP 或 S4-5 感觉"),
    "if.ais.A": ("there is no sacral sparing", "无骶段保留"),
    "if.ais.B": (
        "there is sacral sensation, no VAC, and no motor function more than three levels below",
        "有骶段感觉、无 VAC 且超过三个节段以下无运动功能",
    ),
    "if.ais.C": (
        "it is motor incomplete and less than half of the key muscles below the NLI have 3 or more",
        "为运动不完全性且 NLI 以下不足一半关键肌达 3 级",
    ),
    "if.ais.D": (
        "it is motor incomplete and at least half of the key muscles below the NLI have 3 or more",
        "为运动不完全性且 NLI 以下至少一半关键肌达 3 级",
    ),
    "if.ais.E": ("everything is normal, VAC included", "包括 VAC 在内一切正常"),
    "if.zpp_sensory.NA": ("there is DAP, or S4-5 sensation on this side", "有 DAP 或该侧 S4-5 有感觉"),
    "if.zpp_sensory": (
        "{0} ({1}, {2}) is the most caudal dermatome with sensation",
        "{0}（{1}，{2}）为最靠尾端有感觉的皮节",
    ),
    "if.zpp_sensory.C1": ("no dermatome has sensation", "所有皮节均无感觉"),
    "if.zpp_motor.NA": ("there is VAC", "有 VAC"),
    "if.zpp_motor": (
        "the most caudal of the motor level and the key muscles with any function",
        "取运动平面与仍有功能的关键肌中最靠尾端者",
    ),
    "if.zpp_motor.non_key": (
        "the most caudal of the motor level and the key muscles with any function, or the non-key muscle at {0} "
        "where it counts",
        "取运动平面与仍有功能的关键肌中最靠尾端者，或在计入时取 {0} 的非关键肌",
    ),
    # warnings
    "warn.vac_alone": (
        "VAC is Yes, while DAP is No and S4-5 sensation is absent on both sides: check the anorectal exam.",
        "VAC 为“有”，而 DAP 为“无”且双侧 S4-5 无感觉：请复核肛门直肠检查。",
    ),
    "warn.dap_no": (
        "DAP is No, while light touch or pin prick at S4-5 is 2: check the anorectal exam.",
        "DAP 为“无”，而 S4-5 轻触觉或针刺觉为 2：请复核肛门直肠检查。",
    ),
    "warn.ais_e": (
        "AIS E holds only with a documented earlier deficit; without one there is no AIS.",
        "AIS E 仅在既往有记录的神经功能缺损时成立，否则不给出 AIS。",
    ),
    "warn.ais_b_low": (
        "AIS B with leg muscles active and a motor level of L4 or below: the literal rule, clinically surprising.",
        "AIS B，但下肢肌肉有功能且运动平面在 L4 或以下：按规则字面得出，临床上需留意。",
    ),
    "warn.ais_a_far": (
        "AIS A although muscles more than three levels below the motor level are active: without sacral sparing "
        "they belong to the zone of partial preservation.",
        "AIS A，但运动平面以下超过三个节段的肌肉有功能：无骶段保留时归入部分保留区。",
    ),
    "warn.nli_vac": (
        "Everything is normal except VAC. Reading “praxis” gives NLI {0}, “strict” {1}; the AIS is the same.",
        "除 VAC 外均正常。按 “praxis” 解读 NLI 为 {0}，按 “strict” 为 {1}；AIS 相同。",
    ),
    "warn.nonkey_zpp": (
        "Motor ZPP {2} and the non-key muscle: reading “praxis” gives {0}, reading “motor_level” {1}; no source "
        "settles it.",
        "{2}运动 ZPP 与非关键肌：按 “praxis” 解读为 {0}，按 “motor_level” 为 {1}；尚无定论。",
    ),
    "warn.legacy_non_key": (
        "The non-key muscle is at {0}, a segment without a key muscle: accepted as an old record.",
        "非关键肌位于无关键肌的节段 {0}：按旧记录接受。",
    ),
    "warn.tagged_nt": (
        "A score is tagged and untested: where the * stands is then a convention; keep the * out of analysis.",
        "存在带标记的未测试评分：此时 * 的位置只是惯例，分析中请勿使用 *。",
    ),
    "warn.tags_narrow": (
        "The tags change {0}, but add no value that could carry the *.",
        "标记改变了 {0}，但没有新增可带 * 的取值。",
    ),
    "right": ("right", "右侧"),
    "left": ("left", "左侧"),
}
"""Key → (English, Chinese); ``{0}`` is the result where a sentence ends in one."""


def compose(key: str, *values: object) -> Text:
    """The sentence of that key with its values; a :class:`Text` value fills in by language."""
    english, chinese = TEXTS[key]
    return Text(
        english.format(*(value.en if isinstance(value, Text) else value for value in values)),
        chinese.format(*(value.zh if isinstance(value, Text) else value for value in values)),
    )


text_of = lru_cache(maxsize=16384)(compose)
"""As :func:`compose`, kept for sentences of few values, which return exam after exam."""


def join_clauses(parts: list[Text], *, comma: bool = False) -> Text:
    """Clauses in one line, separated by semicolons or commas."""
    english, chinese = (", ", "、") if comma else ("; ", "；")
    return Text(english.join(part.en for part in parts), chinese.join(part.zh for part in parts))


def display_name(name: str) -> str:
    """A segment as it is written for a reader: ``S4_5`` → ``S4-5``."""
    return name.replace("_", "-")
