"""What a picture may ask for before it is decoded: pixels, memory, work, pieces. Pure numbers.

A decoder is C code that cannot be interrupted, so whatever it will cost must be known beforehand. The bounds are such
that a picture takes about a second at most, where photographs take milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_PIXELS: Final = 89_000_000
"""Pillow warns above 89,478,485."""
MOST_MEMORY: Final = 192 * 2**20
"""Bytes that decoding one picture may take, and all those together that are decoded at once."""
MOST_SAMPLES: Final = 500_000_000
"""Samples that the scans of a JPEG go over in all: an ordinary progressive photo of 35 to 60 million pixels."""
MOST_SCANS: Final = 500
"""Scans of a JPEG, the limit that libjpeg-turbo advises (`TJFLAG_LIMITSCANS`): ordinary photos have 1 or about 10.

See "Two Issues with the JPEG Standard" (https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf):
a scan that says nothing takes a hundred bytes, and as long to decode as any other.
"""
MOST_PIECES: Final = 50_000
"""Segments, chunks or blocks of a file that are walked one by one; ordinary files have some thousands at most."""
MOST_BLOCKS: Final = 1_000_000
"""Blocks of a GIF, which hold 255 bytes each at most."""
LEAST_SIDE: Final = 32
"""Pixels of the shorter side; Flickr's smallest thumbnail is 75 square, icons are 16 and tracking pixels 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the structure of a file says of its picture, before anything of it is decoded.

    Attributes:
        size: width and height in pixels, None where they cannot be read.
        ended: whether the end that the format prescribes is there.
        memory: bytes that decoding will take beside the file's own.
        samples: how many samples the decoder will go over, each as often as a scan speaks of it.
        excess: which bound the file breaks by its structure alone, None where it breaks none.
    """

    size: tuple[int, int] | None = None
    ended: bool = False
    memory: int = 0
    samples: int = 0
    excess: str | None = None

    @property
    def too_large(self) -> str | None:
        """Why it is not decoded, None where it may be."""
        width, height = self.size or (0, 0)
        if self.excess is not None:
            return self.excess
        if width * height > MOST_PIXELS:
            return f"{width} x {height} pixels"
        if self.memory > MOST_MEMORY:
            return f"{width} x {height} pixels, which take {self.memory // 2**20} MiB to decode"
        if self.samples > MOST_SAMPLES:
            return f"{width} x {height} pixels in more scans than a photo has: too much work to decode"
        return None

    @property
    def too_small(self) -> str | None:
        """Why it is no photo but an icon or a tracking pixel, None where it may be one."""
        width, height = self.size or (0, 0)
        return f"{width} x {height} pixels" if min(width, height) < LEAST_SIDE else None

    @property
    def share(self) -> float:
        """The part of what may be decoded at once that this picture takes, from 0 to 1."""
        return min(1.0, max(self.memory / MOST_MEMORY, self.samples / (2 * MOST_SAMPLES)))
