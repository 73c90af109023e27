"""What export is asked to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.errors import OptionError
from scraper.exporting.splits import WHOLE, SplitShares
from scraper.kinds import Choice, FilePath, Flag, Size, Text, Whole
from scraper.options import Options, option
from scraper.pictures.conversion import Conversion, Encode, Resize

if TYPE_CHECKING:
    from scraper.exporting.splits import Shares


class ExportForm(enum.StrEnum):
    """The forms a dataset may have."""

    IMAGEFOLDER = "imagefolder"
    WEBDATASET = "webdataset"
    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    LOCK = "lock"


class Conflicts(enum.StrEnum):
    """What is done about a photo in several classes."""

    KEEP = "keep"
    FIRST = "first"
    DROP = "drop"
    ERROR = "error"


class Folders(enum.StrEnum):
    """What folders of classes are called by."""

    WNID = "wnid"
    LABEL = "label"


class FileMode(enum.StrEnum):
    """How files come to a folder."""

    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(Options):
    """How a dataset is made."""

    split: Shares = option(WHOLE, SplitShares(), "splits and their shares, as in train=0.8,validation=0.1,test=0.1")
    seed: str = option("0", Text("SEED"), "of the splits: the same seed puts each photo on the same side")
    conflicts: Conflicts = option(
        Conflicts.KEEP,
        Choice(Conflicts),
        "a photo in several classes: keep it in all, keep it in the first, drop it from all, or end with an error",
    )
    folders: Folders = option(Folders.WNID, Choice(Folders), "what the folders of an imagefolder are called by")
    files: FileMode = option(
        FileMode.LINK, Choice(FileMode), "whether an imagefolder has hard links where the disk allows, or copies"
    )
    shard_size: int = option(10**9, Size(10**4, 10**12), "bytes of a shard of webdataset or parquet, about")
    size: int | None = option(None, Whole(1, 10_000), "pixels that pictures are scaled to; without it, as they came")
    resize: Resize = option(
        Resize.SHORTER, Choice(Resize), "what --size is of: a side, or a square that is cut out or filled up"
    )
    enlarge: bool = option(default=False, kind=Flag(), help="let --size make pictures larger too")
    encode: Encode = option(
        Encode.KEEP, Choice(Encode), "write all pictures in one format; keep leaves the bytes as they came"
    )
    quality: int = option(90, Whole(1, 100), "of JPEG and WEBP where pictures are converted")
    overwrite: bool = option(default=False, kind=Flag(), help="replace what an earlier export wrote at DEST")
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images, which fetch wrote to")

    def _agree(self) -> None:
        if self.size is None and (self.enlarge or self.resize is not Resize.SHORTER):
            raise OptionError("enlarge" if self.enlarge else "resize", "says how --size is meant, which is not given")

    @property
    def converts(self) -> bool:
        """Whether pictures are written otherwise than they came."""
        return self.size is not None or self.encode is not Encode.KEEP

    @property
    def links(self) -> bool:
        """Whether files may be linked."""
        return self.files is FileMode.LINK and not self.converts

    def conversion(self) -> Conversion | None:
        """What pictures become, None where they stay as they came."""
        if not self.converts:
            return None
        return Conversion(
            size=self.size, resize=self.resize, enlarge=self.enlarge, encode=self.encode, quality=self.quality
        )


_PICTURES = frozenset({ExportForm.IMAGEFOLDER, ExportForm.WEBDATASET, ExportForm.PARQUET})
_ONLY_FOR = {
    "folders": frozenset({ExportForm.IMAGEFOLDER}),
    "files": frozenset({ExportForm.IMAGEFOLDER}),
    "shard_size": _PICTURES - {ExportForm.IMAGEFOLDER},
    "size": _PICTURES,
    "encode": _PICTURES,
}
"""Options that some forms make nothing of."""


def refuse_unused(form: ExportForm, options: ExportOptions) -> None:
    """Refuse options that a form makes nothing of, since whoever gives them expects something.

    Raises:
        OptionError: there is one.
    """
    plain = ExportOptions()
    for name, forms in _ONLY_FOR.items():
        if form not in forms and getattr(options, name) != getattr(plain, name):
            raise OptionError(name, f"is for {', '.join(one for one in ExportForm if one in forms)}, not for {form}")
