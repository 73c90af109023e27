"""The lists that are known to be had, by short names: one row each, from which help, docs and downloads come.

What is said of them was read in public material in November 2026. No address was asked whether it answers: nobody here
has tried them, and the rows say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

API_URL: Final = "https://www.image-net.org/api/imagenet.synset.geturls?wnid={wnid}"

_FALL11: Final = "http://image-net.org/imagenet_data/urls/imagenet_fall11_urls.tgz"


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list that can be had.

    Attributes:
        name: for `--source`.
        title: what to call it, in a sentence.
        addresses: where it is, the likeliest first; with `{wnid}` in it where it is asked class by class.
        covers: which classes it has, in words.
        form: of its lines, by its short name.
        attested: when, and by whom, it was last said to be there.
        file: what a whole list is called where it is kept; empty where it is asked class by class.
        bytes: size of the file; None where nobody says.
        digest: algorithm and hex digest of the file; None where nobody says.
        lines: how many it has; None likewise.
        note: what else is known.
    """

    name: str
    title: str
    addresses: tuple[str, ...]
    covers: str
    form: str
    attested: str
    file: str = ""
    bytes: int | None = None
    digest: tuple[str, str] | None = None
    lines: int | None = None
    note: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is one file, to be downloaded once."""
        return bool(self.file)


KNOWN: Final = {
    known.name: known
    for known in (
        KnownList(
            "api",
            "ImageNet's API",
            (API_URL,),
            covers="21,841 classes, one at a time",
            form="urls",
            attested="told to work from May 2021 to June 2022 and to fail in July 2024 (mf1024's downloader, issue 19)",
            note="ImageNet's own, unofficial; the older path `api/text/` died between 2019 and 2021",
        ),
        KnownList(
            "fall11",
            "the whole list of fall 2011",
            (f"http://web.archive.org/web/20190130005544id_/{_FALL11}",),
            covers="21,841 classes, grouped",
            form="index",
            attested="used in 2020 (atheik/imagenet-browser), of whom at least 100,000 lines came",
            file="imagenet_fall11_urls.tgz",
            bytes=350_302_759,
            digest=("sha1", "f5fd118232b871727fe333778be81df6c6fec372"),
            lines=14_197_122,
            note="the Internet Archive's capture of ImageNet's whole list, which left image-net.org in 2019; 1.1 GB "
            "unpacked",
        ),
        KnownList(
            "ilsvrc",
            "the list of ILSVRC 2012",
            (
                "https://nvidia.box.com/shared/static/gzr5iewf5aouhc5exhp3higw6lzhcysj.gz",
                "http://www.deepdetect.com/dd/datasets/imagenet/ilsvrc12_urls.txt.gz",
            ),
            covers="the 1,000 classes of ILSVRC 2012",
            form="index",
            attested="the first stands in dusty-nv/jetson-inference, alive in October 2025; the second in "
            "beniz/imagenet_downloader, 2014",
            file="ilsvrc12_urls.gz",
            lines=961_148,
            note="in 2017, 108,034 of its URLs led to Flickr's placeholder (dusty-nv/jetson-inference, issue 124)",
        ),
    )
}


def called(source: str) -> str:
    """What to call a source in a sentence: the title of a known list, the last part of a path, or its own name.

    >>> called(API_URL), called("lists/fall11_urls.tgz")
    ("ImageNet's API", 'fall11_urls.tgz')
    """
    for known in KNOWN.values():
        if source == known.name or source in known.addresses:
            return known.title
    return source if "://" in source else source.rstrip("/").rpartition("/")[2]
