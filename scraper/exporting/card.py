"""The card of a dataset: what it is, how it came to be, and what to think of before using it.

All of it is from the manifest and the options; nothing is invented, and nothing is of the machine it was made on. The
sections are those that cards usually lack (https://arxiv.org/abs/2401.13822), the head is what the Hugging Face hub
reads (https://huggingface.co/docs/hub/datasets-cards).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from scraper.exporting.forms.tables import CONVERTED
from scraper.exporting.options import ExportForm
from scraper.exporting.splits import WHOLE
from scraper.model import Kind
from scraper.pictures.conversion import Encode
from scraper.texts import counted, one_line
from scraper.version import PROJECT_URL, __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scraper.exporting.options import ExportOptions
    from scraper.exporting.selecting import Selection

_DATA: Final = {
    ExportForm.IMAGEFOLDER: "{split}/**",
    ExportForm.WEBDATASET: "{split}-*.tar",
    ExportForm.PARQUET: "data/{split}-*.parquet",
}
_SIZES: Final = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6))
_SHOWN: Final = 20


def write_card(
    folder: Path,
    form: ExportForm,
    selection: Selection,
    options: ExportOptions,
    *,
    counts: Mapping[str, tuple[int, int]],
) -> None:
    """Write `README.md`.

    Args:
        folder: of the dataset.
        form: of the dataset.
        selection: what was chosen.
        options: how it was made.
        counts: images by split, as written, and their bytes.
    """
    lines = [*_head(form, selection, options, counts), "", *_body(form, selection, options, counts=counts)]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(
    form: ExportForm, selection: Selection, options: ExportOptions, counts: Mapping[str, tuple[int, int]]
) -> Iterator[str]:
    images = sum(number for number, _ in counts.values())
    category = next((name for name, below in _SIZES if images < below), "1M<n<10M")
    yield from ("---", "license: other", "license_name: see-the-photographers", "task_categories:")
    yield from ("- image-classification", "size_categories:", f"- {category}", "configs:", "- config_name: default")
    yield "  data_files:"
    for split in counts:
        yield from (f"  - split: {split}", f"    path: {json.dumps(_DATA[form].format(split=split))}")
    if form is ExportForm.PARQUET:
        yield from _features(selection, options)
        yield "  splits:"
        for split, (number, size) in counts.items():
            yield from (f"  - name: {split}", f"    num_bytes: {size}", f"    num_examples: {number}")
    yield "---"


def _features(selection: Selection, options: ExportOptions) -> Iterator[str]:
    """The columns of the parquet files, as the hub names them."""
    yield from ("dataset_info:", "  features:", "  - name: image", "    dtype: image")
    yield from ("  - name: label", "    dtype:", "      class_label:", "        names:")
    yield from (f"          '{cls.index}': {json.dumps(cls.name, ensure_ascii=False)}" for cls in selection.classes)
    columns = {"wnid": "string", "photo_id": "int64", "url": "string", "sha256": "string"}
    columns |= {"width": "int32", "height": "int32"} | ({CONVERTED: "string"} if options.converts else {})
    for name, dtype in columns.items():
        yield from (f"  - name: {name}", f"    dtype: {dtype}")


def _body(
    form: ExportForm, selection: Selection, options: ExportOptions, *, counts: Mapping[str, tuple[int, int]]
) -> Iterator[str]:
    images = sum(number for number, _ in counts.values())
    yield f"# {images:,} photographs of {len(selection.classes):,} ImageNet classes"
    yield ""
    size = sum(size for _, size in counts.values())
    yield f"Made by [scraper {__version__}]({PROJECT_URL}), form `{form}`, {size:,} bytes of pictures."
    yield from ("", "## Splits", "", "| split | images |", "|---|---|")
    yield from (f"| {split} | {number:,} |" for split, (number, _) in counts.items())
    if options.split != WHOLE:
        shares = ", ".join(f"{name} {share:g}" for name, share in options.split)
        yield from (
            "",
            f"Asked for: {shares}, seed `{one_line(options.seed)}`. A hash of the photo decides, so that the shares",
        )
        yield "are approximate, the same photo is never on two sides, and later images move none."
    for split, wnids in selection.lacking(options.split).items():
        yield from ("", f"No image in {split}: {_some(wnids)}.")
    yield from ("", "## Classes", "", "`classes.csv` has the number, id, name and images of each class.")
    if selection.empty:
        yield f"Planned but without an image, and left out: {_some(selection.empty)}."
    yield from (
        "",
        *_origin(selection),
        "",
        *_survival(selection),
        "",
        *_pictures(options),
        "",
        *_conflicts(selection, options),
    )
    yield from ("", *_CONSIDERATIONS)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _origin(selection: Selection) -> Iterator[str]:
    saved = sorted(item.image.saved_at for item in selection.items)
    sources = sorted({cls.source for cls in selection.classes if cls.source})
    yield from ("## How it was collected", "")
    yield "Each class is a WordNet 3.0 synset. Its list of image URLs, made around 2011, was taken from:"
    yield from ("", *(f"- `{one_line(source)}`" for source in sources), "")
    yield f"The photographs were fetched from their hosts between {saved[0][:10]} and {saved[-1][:10]}, by the rank of"
    yield "their URLs in the lists, until each class had the images wanted or its list was used up. URLs that answered"
    yield "no longer, with a placeholder or with what is no whole picture were left out: what is here survived."
    if selection.locked:
        images = counted(selection.locked, "image was", "images were")
        yield f"{images} named by a lock of an earlier dataset, and kept only"
        yield "because the bytes are those that it names."
    if selection.surplus:
        yield f"Of each class the first images by rank are here; {selection.surplus:,} more were left out."


def _survival(selection: Selection) -> Iterator[str]:
    """What became of the URLs that were asked for."""
    by_kind: Counter[Kind] = Counter()
    for outcome, urls in selection.asked.items():
        by_kind[outcome.kind] += urls
    yield from ("## Survival", "")
    yield f"{counted(by_kind.total(), 'URL')} of these classes were asked for:"
    yield from ("", "| answer | URLs |", "|---|---|")
    yield from (f"| {meaning} | {by_kind[kind]:,} |" for kind, meaning in _KINDS.items() if by_kind[kind])
    yield from ("", "A class was asked for no more once it had its images, so that these numbers make no rate by")
    yield "themselves: `scraper report` estimates how many URLs of the lists are dead."


_KINDS: Final = {
    Kind.IMAGE: "a picture",
    Kind.DEAD: "gone, or a placeholder",
    Kind.DENIED: "refused, or not to be used so",
    Kind.UNUSABLE: "no whole picture, or another one than wanted",
    Kind.UNKNOWN: "nothing that tells of the photo",
    Kind.REFUSED: "not asked further, or left out since someone asked",
}
"""What an answer says of a photo, in the words of the card."""


def _pictures(options: ExportOptions) -> Iterator[str]:
    yield from ("## The pictures", "")
    if not options.converts:
        yield "The bytes are those that the hosts sent. Metadata that photographers left in them, which may tell places"
        yield "and people, is in them still. `sha256` is of these bytes."
        return
    size = f"scaled so that --size {options.size} is met by `{options.resize}`, " if options.size is not None else ""
    encode = "their own format (PNG for GIF and WEBP)" if options.encode is Encode.KEEP else options.encode.upper()
    yield f"Pictures were turned upright, brought to RGB, {size}and written as {encode} with quality"
    yield f"{options.quality}; all metadata was removed. `sha256` is of the file here, `source_sha256` of the bytes"
    yield "that the host sent."


def _conflicts(selection: Selection, options: ExportOptions) -> Iterator[str]:
    yield from ("## Photos in several classes", "")
    if not selection.conflicts:
        yield "None."
        return
    dropped = counted(selection.dropped, "image was left out", "images were left out")
    yield f"{counted(len(selection.conflicts), 'photo')}. Asked for was `{options.conflicts}`: {dropped}."
    yield ""
    yield from (f"- {', '.join(conflict.paths)}" for conflict in selection.conflicts[:_SHOWN])
    if len(selection.conflicts) > _SHOWN:
        yield f"- and {len(selection.conflicts) - _SHOWN:,} more"


_CONSIDERATIONS: Final = (
    "## Considerations for use",
    "",
    "- **Rights.** The photographs belong to those who took them. A URL in a list is no licence: look up each photo's",
    "  page, `https://www.flickr.com/photo.gne?id=PHOTO_ID`, before you publish or redistribute.",
    "- **People.** Photographs show people who did not agree to be in a dataset. Do not identify them.",
    "- **Labels.** They are those of the lists, gathered by searches and checked by crowds; some are wrong, and",
    "  several objects may be in one picture.",
    "- **Survival.** Photos that were deleted or made private are missing, which is no random sample of the lists.",
    "",
    "## Removal",
    "",
    "Who finds a photo of theirs here may ask whoever published this dataset to leave it out. `scraper forget` removes",
    "it, and keeps it out of every later export.",
)
