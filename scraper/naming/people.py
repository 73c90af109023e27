"""Classes of people: `person` and all that is under it in WordNet.

Many of their names are slurs, and whether a photo shows one of them is a judgement of a person. ImageNet's own authors
withdrew most of them: Yang et al. 2020, "Towards Fairer Datasets" (https://doi.org/10.1145/3351095.3375709).
"""

from __future__ import annotations

import re
from typing import Final

PERSON: Final = "n00007846"

ALLOWED: Final = frozenset({"n09835506", "n10148035", "n10565667"})
"""Ballplayer, groom and scuba diver, which are among the 1,000 classes of ILSVRC."""

REASON: Final = (
    "classes under person hold slurs and judgements of people, and ImageNet's authors withdrew most of them "
    "(Yang et al. 2020, https://doi.org/10.1145/3351095.3375709)"
)

# WordNet numbers the nouns of one of its files together, and these are all under person but a few places and gods.
_MAYBE: Final = re.compile(r"n(?:00007846|06340977|09[4-9]|10|11[0-3]).*")


def may_be_person(wnid: str) -> bool:
    """Whether a class may be one of people, by its number alone: where not, the table need not be read to know.

    >>> may_be_person("n01440764"), may_be_person("n10148035")
    (False, True)
    """
    return _MAYBE.fullmatch(wnid) is not None
