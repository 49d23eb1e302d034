"""Shapes of the body chart: our own schematic drawing of one half, in px of a sheet 200 wide, x from the midline.

The same drawing as ``widgets/parts/bodychart.js``; a test compares them.
"""

from __future__ import annotations

_HEAD = (
    ("C2", "M0 4C13 4 21 14 21 27L21 34 0 34Z"),
    ("C3", "M0 35L21 35C20 44 16 50 12 53L12 62 0 62Z"),
    ("C4", "M0 63L12 63C14 70 30 74 46 78C40 82 36 85 34 90L0 90Z"),
)
_ARM = (
    ("C5", "M47 79C57 83 62 92 63 104L68 150 59 152 52 104C50 96 44 90 38 88C40 84 43 81 47 79Z"),
    ("T1", "M37 90C43 92 48 98 50 106L57 152 60 192 52 193 43 128C40 112 36 108 35.5 104Z"),
    ("C6", "M59 153L68 151 76 200 80 214 84 228 80 231 73 220 69 206Z"),
    ("C7", "M61 193L68.5 207 72 221 76 244 71 246 66 232 62 208Z"),
    ("C8", "M53 194L60 193.5 61 208 65 233 66 243 61 243 57 228 53 208Z"),
)
_LEG_FRONT = (
    ("L1", "M0 212L27.5 212C30 218 32 224 33 230L4 242L0 236Z"),
    ("L2", "M33.5 231C36 246 36 260 36 270L6 288L4 243Z"),
    ("L3", "M36 271C36 292 34 306 32 322L9 328L6 289Z"),
    ("L4", "M20 327L9.5 329C8 347 10 372 12 402L18 402Z"),
    ("L5", "M32 323L21 327L19 402L14 416L28 424L30 419L25 402C30 372 34 347 32 323Z"),
    ("S1", "M30.5 419L28.5 424L34 426L35 421L26 402Z"),
)
_LEG_BACK = (
    ("L3", "M27.8 216C31 224 36 246 36 270L26 272C26 254 24 234 18 216Z"),
    ("S3", "M0 216L17 216C22 226 24 238 24 248C16 254 7 253 0 246Z"),
    ("S4_5", "M0 226C6 226 9 231 9 236C9 241 6 244 0 244Z"),
    ("S2", "M4 251C10 255 17 254 20 251.5C21 270 20 296 19 324L9 328L6 289Z"),
    (
        "S1",
        "M21 251L25 249C26 256 26 264 26 273L29 322L20 324C21 298 22 272 21 251ZM19.5 325L28.5 323C28 "
        "350 25 380 22 402L24 420L14 421L14 402C17 376 19 350 19.5 325Z",
    ),
    ("L5", "M27 273L36 271C36 292 34 306 32 322C34 347 30 372 25 402L23 402C26 380 29 350 30 322Z"),
    ("L4", "M18.5 325L9.5 329C8 347 10 372 12 402L13 402C16 376 18 350 18.5 325Z"),
)

THORAX = tuple(f"T{number}" for number in range(2, 13))
RINGS = (("S2", 27), ("S3", 18), ("S4_5", 9))
"""Half rings around the anus, from the outside: segment and radius."""


def _trunk(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Bands of the trunk: equal slices between the shoulders and the waist."""
    step = 121 / len(names)
    bands = []
    for i, name in enumerate(names):
        top = 91 + i * step
        end = top + step - 0.8
        # The trunk narrows from the shoulders to the waist.
        upper, lower = (34 - 6.8 * (y - 91) / 120 for y in (top, end))
        bands.append((name, f"M0 {top:.1f}L{upper:.1f} {top:.1f}L{lower:.1f} {end:.1f}L0 {end:.1f}Z"))
    return tuple(bands)


FRONT = (*_HEAD, *_trunk(THORAX), *_ARM, *_LEG_FRONT)
BACK = (*_HEAD, *_trunk((*THORAX, "L1", "L2")), *_ARM, *_LEG_BACK)
"""Segment and path of each region, as in SVG."""
