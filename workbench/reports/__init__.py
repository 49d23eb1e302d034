"""Reports: blocks → self-contained HTML and PDF, made from the study record alone."""

from __future__ import annotations
