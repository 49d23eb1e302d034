"""Orders of electrodes for amplifiers that send no labels; the operator checks them against the cap.

10-20 is the order of the 19 electrodes of the International 10-20 system as it is usually written (Jasper 1958,
doi:10.1016/0013-4694(58)90053-1). OpenBCI's are the default electrodes of its Cyton and Cyton + Daisy boards
(https://docs.openbci.com). BioSemi's is its 64-channel cap (https://www.biosemi.com/headcap.htm).
"""

from __future__ import annotations

from collections.abc import Mapping

_CYTON = "Fp1 Fp2 C3 C4 P7 P8 O1 O2"
_TEN_TWENTY = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2"
_BIOSEMI = (
    "Fp1 AF7 AF3 F1 F3 F5 F7 FT7 FC5 FC3 FC1 C1 C3 C5 T7 TP7 CP5 CP3 CP1 P1 P3 P5 P7 P9 PO7 PO3 O1 Iz Oz POz Pz "
    "CPz Fpz Fp2 AF8 AF4 AFz Fz F2 F4 F6 F8 FT8 FC6 FC4 FC2 FCz Cz C2 C4 C6 T8 TP8 CP6 CP4 CP2 P2 P4 P6 P8 P10 "
    "PO8 PO4 O2"
)

MONTAGES: Mapping[str, tuple[str, ...]] = {
    "10-20": tuple(_TEN_TWENTY.split()),
    "OpenBCI 8": tuple(_CYTON.split()),
    "OpenBCI 16": tuple(f"{_CYTON} F7 F8 F3 F4 T7 T8 P3 P4".split()),
    "BioSemi 64": tuple(_BIOSEMI.split()),
}
"""Name → labels in the order of the channels."""


def fitting(n_channels: int) -> dict[str, tuple[str, ...]]:
    """The montages of that many channels."""
    return {name: labels for name, labels in MONTAGES.items() if len(labels) == n_channels}


def numbered(n_channels: int) -> tuple[str, ...]:
    """Labels 1, 2, 3 … in the order of the channels."""
    return tuple(str(place + 1) for place in range(n_channels))
