"""Sets of classes that have a name. Where each was taken from, with its licence, stands in `manifests/SOURCES.md`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from scraper.errors import InputError
from scraper.texts import one_line


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of classes: its name, the bit that marks its classes in the table, their number, and what it is."""

    name: str
    bit: int
    classes: int
    about: str


PEOPLE: Final = 256
"""The bit of `person` and all under it."""

PRESETS: Final = {
    preset.name: preset
    for preset in (
        Preset("ilsvrc2012", 2, 1000, "the classes of the ILSVRC challenges, known as ImageNet-1k"),
        Preset("imagenette", 4, 10, "ten classes that are easy to tell apart"),
        Preset("imagewoof", 8, 10, "ten dogs that are hard to tell apart"),
        Preset("mini-imagenet", 16, 100, "the classes of the benchmark for learning from few examples"),
        Preset("imagenet-a", 32, 200, "the classes of ImageNet-A, natural adversarial examples"),
        Preset("imagenet-r", 64, 200, "the classes of ImageNet-R, renditions such as paintings and toys"),
        Preset("imagenet-21k", 1, 21841, "the classes of ImageNet as of fall 2011"),
        Preset("imagenet-21k-p", 128, 11221, "the classes of ImageNet-21K-P, those with 500 images or more"),
    )
}

CLASS: Final = PRESETS["imagenet-21k"].bit | PRESETS["ilsvrc2012"].bit
"""The bits of which a class of ImageNet has at least one: ILSVRC has the teddy, which was not in fall 2011's lists."""


def preset(name: str) -> Preset:
    """The preset of this name; case does not matter.

    Raises:
        InputError: there is none.
    """
    found = PRESETS.get(name.strip().lower().replace("_", "-"))
    if found is None:
        close = difflib.get_close_matches(name.lower(), PRESETS, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"no preset {one_line(name, 60)!r}{meant}: it is one of {', '.join(PRESETS)}")
    return found
