"""Many recordings decoded again, or decoders fitted and judged on them: planned, spread over workers, merged.

A :class:`Manifest` names tasks (recording, by its SHA-256 × pipeline × seed × fold). :func:`run` carries out those
that have no result yet; a result is one file that holds metrics alone, so that a site hands out its results and
keeps its recordings. Whatever carries the tasks out, in whatever order, the results are the same bits.
Names load when first asked for, since a worker needs few of them.
"""

from __future__ import annotations

from typing import Any

from workbench import registry

_LAZY = {
    "Dask": "workbench.batch.executors",
    "Executor": "workbench.batch.executors",
    "Job": "workbench.batch.pipelines",
    "Manifest": "workbench.batch.manifest",
    "Outcome": "workbench.batch.pipelines",
    "PIPELINES": "workbench.batch.manifest",
    "Processes": "workbench.batch.executors",
    "Ran": "workbench.batch.running",
    "Result": "workbench.batch.results",
    "Row": "workbench.batch.results",
    "Serial": "workbench.batch.executors",
    "Task": "workbench.batch.manifest",
    "as_csv": "workbench.batch.results",
    "combined_hash": "workbench.batch.results",
    "frame": "workbench.batch.results",
    "merged": "workbench.batch.results",
    "on_dask": "workbench.batch.executors",
    "plan": "workbench.batch.planning",
    "run": "workbench.batch.running",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for (PEP 562)."""
    return registry.public_name(globals(), _LAZY, name)


def __dir__() -> list[str]:
    return list(__all__)
