"""Price items of brain-computer interfaces in China: official names and the rules that were found.

Prices and codes stand in the price document of a province, which differ and are replaced: a site enters its own
(``AddPriceItem``). Sources: docs/fitting.md.
"""

from __future__ import annotations

from workbench.study.changes.prices import GUANGDONG_DATA, IMPLANT_NOT_WITH_REMOVAL, PROFESSIONAL_ONLY
from workbench.systems._system import PriceItem, words

PLACEMENT = PriceItem(
    "侵入式脑机接口置入费",
    words("Placement of an invasive brain-computer interface", "侵入式脑机接口置入"),
    kind="implant",
    per=words("each operation", "每次手术"),
    rules=(IMPLANT_NOT_WITH_REMOVAL, GUANGDONG_DATA),
)
REMOVAL = PriceItem(
    "侵入式脑机接口取出费",
    words("Removal of an invasive brain-computer interface", "侵入式脑机接口取出"),
    kind="removal",
    per=words("each operation", "每次手术"),
)
FITTING = PriceItem(
    "非侵入式脑机接口适配费",
    words("Fitting of a non-invasive brain-computer interface", "非侵入式脑机接口适配"),
    kind="fitting",
    per=words("each session of eight steps", "每次适配（八个步骤）"),
    rules=(GUANGDONG_DATA, PROFESSIONAL_ONLY),
)

CODES_NOT_SUPPLIED = words(
    "National code of the price item and NHSA code of the device: not published in the sources that were seen.",
    "价格项目的国家编码和器械的医保编码：在所见来源中均未公布。",
)
