"""The record as datasets in files: CDISC Dataset-JSON 1.1, SAS transport (XPT version 5), and Parquet.

Every form has the same datasets, columns and rows (:mod:`workbench.exchange._datasets`), one file each.
Dataset-JSON is written without any other package; XPT needs ``pyreadstat`` and Parquet ``pyarrow``, both of the
extra ``exchange``.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench import reading
from workbench.errors import BadValue, Refused
from workbench.exchange._datasets import Column, Dataset, datasets
from workbench.exchange._release import SHARING, Release, release
from workbench.messages import Message

__all__ = [
    "FORMS",
    "SHARING",
    "Column",
    "Dataset",
    "Release",
    "datasets",
    "files_of",
    "from_json",
    "needed",
    "release",
]

FORMS = {"dataset-json": "json", "xpt": "xpt", "parquet": "parquet"}
"""Ending of the files by form."""
DATASET_JSON = "1.1.0"
LONGEST_XPT = 200
"""Bytes of a text in XPT version 5."""
CLOCKS = (144, 160, 464, 480)
"""Places of the times of making and change in a transport file of one dataset (SAS TS-140), 16 bytes each."""
LARGEST = 2**28
"""Of a file that is read, bytes."""


def needed(package: str, form: str) -> ModuleType:
    """A package of the extra ``exchange``.

    Parameters
    ----------
    package : name that it is imported by.
    form : that needs it.

    Raises
    ------
    Refused
        Where it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise Refused(Message("exchange.needs", form=form, package=package)) from error


def files_of(found: Sequence[Dataset], form: str, given: Release) -> dict[str, bytes]:
    """The files of one form by name, the same bytes again for the same head of the record.

    Parameters
    ----------
    found : the datasets.
    form : one of :data:`FORMS`.
    given : what they were read from: names the study, its head and the time of its newest entry.

    Raises
    ------
    Refused
        For a form whose package is not installed.
    BadValue
        For another form, or a text that XPT cannot hold.
    """
    if form not in FORMS:
        raise BadValue(Message("exchange.dataset_form", allowed=list(FORMS), got=repr(form)))
    made = given.study.entries(after=given.head[0] - 1)[0].utc
    if form == "dataset-json":
        return {f"{one.name.lower()}.json": _as_json(one, given, made) for one in found}
    if form == "parquet":
        return {f"{one.name.lower()}.parquet": _as_parquet(one) for one in found}
    return {f"{one.name.lower()}.xpt": _as_xpt(one) for one in found}


# ------------------------------------------------------------------------------------ Dataset-JSON
def _as_json(one: Dataset, given: Release, made: str) -> bytes:
    code = given.study.code
    about = {
        "datasetJSONCreationDateTime": made,
        "datasetJSONVersion": DATASET_JSON,
        "fileOID": f"{code}.{given.head[0]}.{given.head[1][:12]}.{one.name}",
        "dbLastModifiedDateTime": made,
        "sourceSystem": {"name": "sci-bci-workbench", "version": str(given.head[0])},
        "studyOID": f"S.{code}",
        "metaDataVersionOID": f"MDV.{code}",
        "itemGroupOID": f"IG.{one.name}",
        "records": len(one.rows),
        "name": one.name,
        "label": one.label,
        "columns": [_described(one, n) for n in range(len(one.columns))],
        "rows": [list(row) for row in one.rows],
    }
    return f"{json.dumps(about, ensure_ascii=False)}\n".encode()


def _described(one: Dataset, place: int) -> Mapping[str, Any]:
    column = one.columns[place]
    found: dict[str, Any] = {
        "itemOID": f"IT.{one.name}.{column.name}", "name": column.name, "label": column.label,
        "dataType": column.kind,
    }  # fmt: skip
    if column.kind == "string":
        found["length"] = max((len(str(row[place])) for row in one.rows if row[place] is not None), default=1)
    return found | ({"keySequence": column.key} if column.key else {})


def from_json(data: bytes, where: str = "file") -> Dataset:
    """A dataset of a file of Dataset-JSON 1.1.

    Parameters
    ----------
    data : the file, at most :data:`LARGEST` bytes.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For what is no Dataset-JSON 1.1, or a row that has not a value for each column.
    """
    if len(data) > LARGEST:
        raise BadValue(Message("exchange.dataset_large", where=where, most=LARGEST))
    told = reading.parse_json(data, where)
    try:
        columns = tuple(
            Column(str(one["name"]), str(one["label"]), one["dataType"], int(one.get("keySequence", 0)))
            for one in told["columns"]
        )
        rows = tuple(tuple(row) for row in told["rows"])
        fits = str(told["datasetJSONVersion"]).startswith("1.1") and told["records"] == len(rows)
        name, label = str(told["name"]), str(told["label"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadValue(Message("exchange.no_dataset", where=where)) from error
    if not fits or any(len(row) != len(columns) for row in rows):
        raise BadValue(Message("exchange.no_dataset", where=where))
    return Dataset(name, label, columns, rows)


# ------------------------------------------------------------------------------------ XPT and Parquet
def _as_xpt(one: Dataset) -> bytes:
    """SAS transport version 5. It knows neither empty numbers of integers nor texts of more than 200 bytes."""
    from workbench import tables

    writer = needed("pyreadstat", "xpt")
    for row_number, row in enumerate(one.rows, start=1):
        for column, value in zip(one.columns, row, strict=True):
            if isinstance(value, str) and len(value.encode()) > LONGEST_XPT:
                where = f"{one.name}.{column.name}"
                raise BadValue(Message("exchange.xpt_long", where=where, row=row_number, most=LONGEST_XPT))
    frame = tables.of_columns(
        {column.name: _typed(column, [row[n] for row in one.rows]) for n, column in enumerate(one.columns)}
    )
    labels = [column.label for column in one.columns]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.xpt"
        writer.write_xport(
            frame,
            str(path),
            file_label=one.label,
            column_labels=labels,
            table_name=one.name,
            file_format_version=5,
        )
        data = bytearray(path.read_bytes())
    return bytes(_without_clock(data))


def _without_clock(data: bytearray) -> bytearray:
    """A transport file made on the first day of SAS: the time of the export is no part of the data."""
    for start in CLOCKS:
        data[start : start + 16] = b"01JAN60:00:00:00"
    return data


def _typed(column: Column, values: Sequence[Any]) -> tuple[str, list[Any]]:
    if column.kind == "string":
        return "str", ["" if value is None else value for value in values]
    return "float64", [None if value is None else float(value) for value in values]


def _as_parquet(one: Dataset) -> bytes:
    arrow = needed("pyarrow", "parquet")
    parquet = needed("pyarrow.parquet", "parquet")
    kinds = {"string": arrow.string(), "integer": arrow.int64(), "double": arrow.float64()}
    schema = arrow.schema(
        [arrow.field(column.name, kinds[column.kind], metadata={"label": column.label}) for column in one.columns],
        metadata={"name": one.name, "label": one.label},
    )
    columns = [[row[n] for row in one.rows] for n in range(len(one.columns))]
    arrays = [arrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.Table.from_arrays(arrays, schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())
