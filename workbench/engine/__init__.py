"""The engine of a session: one detached process that acquires, records, decodes and controls.

``python -m workbench.engine STUDY`` starts it; notebooks and dashboards reach it through :mod:`workbench.live` and
may come and go. It writes to the recording only, which is the truth.
"""
