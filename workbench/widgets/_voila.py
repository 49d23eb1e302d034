"""Voila, imported without a grammar that takes a second to build and that nothing here asks for.

jsonschema, which Jupyter imports, looks for a package that checks internationalised addresses (RFC 3987). No
schema of Jupyter or of ours names that format.
"""

from __future__ import annotations

import sys

ADDRESSES = "rfc3987_syntax"

_absent = ADDRESSES not in sys.modules
if _absent:
    # A module that is None in sys.modules cannot be imported, which jsonschema takes as "none here".
    sys.modules[ADDRESSES] = None  # type: ignore[assignment]
try:
    from voila.app import Voila as Voila
    from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler as VoilaKernelWebsocketHandler
finally:
    if _absent:
        del sys.modules[ADDRESSES]
