"""`croissant.json`: the dataset as machines read it (https://docs.mlcommons.org/croissant/docs/croissant-spec.html).

Each split is a record set over its table: `metadata.csv` of a folder, the list beside webdataset's shards, the parquet
files themselves. The pictures are a set of files beside.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from scraper.exporting.forms.tables import CLASS_COLUMNS, COLUMNS, CONVERTED
from scraper.exporting.options import ExportForm
from scraper.version import PROJECT_URL, __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scraper.exporting.options import ExportOptions
    from scraper.exporting.selecting import Selection

_TERMS: Final = (
    "citeAs column conformsTo equivalentProperty extract field fileProperty fileObject fileSet format includes "
    "isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate "
    "separator source subField transform"
)
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
_NUMBERS: Final = frozenset({"photo_id", "width", "height", "index", "images"})
_PICTURES: Final = {
    ExportForm.IMAGEFOLDER: ("image/*", "{split}/*/*"),
    ExportForm.WEBDATASET: ("application/x-tar", "{split}-*.tar"),
    ExportForm.PARQUET: ("application/x-parquet", "data/{split}-*.parquet"),
}
_TABLES: Final = {ExportForm.IMAGEFOLDER: "{split}/metadata.csv", ExportForm.WEBDATASET: "{split}.csv"}


def write_croissant(folder: Path, form: ExportForm, selection: Selection, options: ExportOptions) -> None:
    """Write `croissant.json` for what is in the folder."""
    splits = list(selection.counts())
    columns = (*COLUMNS, CONVERTED) if options.converts else COLUMNS
    tables = [_TABLES[form].format(split=split) for split in splits] if form in _TABLES else []
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "photographs-of-imagenet-classes",
        "description": f"{len(selection.items)} photographs of {len(selection.classes)} ImageNet classes",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": f"Made by scraper {__version__}, {PROJECT_URL}",
        "license": "The photographs belong to those who took them; README.md tells how to find their pages",
        "url": PROJECT_URL,
        "version": "1.0.0",
        "datePublished": max(item.image.saved_at for item in selection.items)[:10],
        "distribution": [
            *(_table(folder, name) for name in ["classes.csv", *tables]),
            *(_pictures(form, split) for split in splits),
        ],
        "recordSet": [
            _records("classes", CLASS_COLUMNS, {"fileObject": {"@id": "classes.csv"}}),
            *(_split_records(form, split, columns) for split in splits),
        ],
    }
    text = json.dumps(described, indent=2, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", encoding="utf-8")


def _table(folder: Path, name: str) -> dict[str, Any]:
    with (folder / name).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    known = {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name}
    return known | {"encodingFormat": "text/csv", "sha256": sha256}


def _pictures(form: ExportForm, split: str) -> dict[str, Any]:
    kind, includes = _PICTURES[form]
    name = f"{split}-pictures"
    known = {"@type": "cr:FileSet", "@id": name, "name": name}
    return known | {"encodingFormat": kind, "includes": includes.format(split=split)}


def _split_records(form: ExportForm, split: str, columns: tuple[str, ...]) -> dict[str, Any]:
    if form is ExportForm.PARQUET:
        known = (*(column for column in columns if column not in ("file_name", "label")), "label")
        return _records(split, known, {"fileSet": {"@id": f"{split}-pictures"}}, numbers=_NUMBERS | {"label"})
    return _records(split, columns, {"fileObject": {"@id": _TABLES[form].format(split=split)}})


def _records(
    name: str, columns: Iterable[str], source: dict[str, Any], *, numbers: frozenset[str] = _NUMBERS
) -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "dataType": "sc:Integer" if column in numbers else "sc:Text",
            "source": source | {"extract": {"column": column}},
        }
        for column in columns
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}
