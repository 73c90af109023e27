"""What pictures may be converted to, as values; `converting` does it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Resize(enum.StrEnum):
    """What a size speaks of: the shorter or the longer side, or a square that is cut out or filled up."""

    SHORTER = "shorter"
    LONGER = "longer"
    CROP = "crop"
    PAD = "pad"


class Encode(enum.StrEnum):
    """How pictures are written: as they came (JPEG and PNG; others as PNG once they are changed), or all alike."""

    KEEP = "keep"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What pictures become.

    Attributes:
        size: pixels, of what `resize` says; None to keep the size.
        resize: what `size` speaks of.
        enlarge: whether smaller pictures are made larger.
        encode: the format to write.
        quality: of JPEG and WEBP, 1 to 100.
    """

    size: int | None
    resize: Resize
    enlarge: bool
    encode: Encode
    quality: int
