"""One class, asked in the order of its list until it has n images: what share of its URLs is of a kind.

A fetch stops a class at its n-th image, so that the plain share hits / N of what was asked is biased: the last URL is
an image by construction. J. B. S. Haldane, On a method of estimating frequencies, Biometrika 33 (1945), 222-225
(https://doi.org/10.1093/biomet/33.3.222): of all functions of N only (n - 1) / (N - 1) is an unbiased estimate of the
share of images, and (N - n) / (N - 1) of the rest.

The same for every other kind: a URL that is no image weighs 1 / (N - 1), an image (n - 1) / n of that. The weights of
a class add up to 1, and the weight of the URLs of a kind is an unbiased estimate of the kind's share, be the order one
of independent draws or a random order of a finite list.

**Which N.** N is the place of the n-th image in the order of the *list*, among the URLs that were decided. It is not
what was asked by the time that n images were there: requests run in parallel, some are tried again later, and a slow
answer early in the list may make what was asked beyond it superfluous. When each answer comes depends on the machine
and the network; what a URL answers does not, so that N as a place in the list does not either. What lies beyond it is
left out.

A class that was not stopped by its n-th image counts with the plain share. That is exact where its list is exhausted,
unbiased where it ended at a budget fixed beforehand (as if the list were that short), and a little biased where the
run was cut short in the middle of it (about .005 at n = 10; the simulation in the tests holds it to that).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Weights(NamedTuple):
    """What one decided URL of a class counts in `share`: `other` where it is no image, `image` where it is."""

    other: float
    image: float


def weights(*, images: int, decided: int, stopped: bool) -> Weights:
    """The weights by which shares of a class are estimated.

    Args:
        images: how many of `decided` are images: n, where the class was stopped.
        decided: N, the URLs up to the n-th image that were answered for; at least 1.
        stopped: whether the last of them is the n-th image, which ended it.

    >>> weights(images=10, decided=13, stopped=True).other * 3 == (13 - 10) / (13 - 1)
    True
    """
    if not stopped:
        return Weights(1 / decided, 1 / decided)
    if decided == images:  # the limit, which covers n = 1 too
        return Weights(0.0, 1 / images)
    return Weights(1 / (decided - 1), (images - 1) / (decided - 1) / images)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was seen of one class, up to its n-th image where it has so many.

    Attributes:
        images: URLs that became images.
        others: URLs that were decided and did not.
        unknown: URLs that were asked for and told nothing.
        hits: those of `others` that are of the kind in question.
        image_hits: those of `images` that are; an image whose own URL is dead came by another form of it.
        stopped: whether the last of them is the n-th image, which ended it.
        listed: length of the class's list.
    """

    images: int
    others: int
    unknown: int
    hits: int
    image_hits: int
    stopped: bool
    listed: int

    @property
    def decided(self) -> int:
        """URLs that were answered for: N."""
        return self.images + self.others

    @property
    def share(self) -> float | None:
        """The estimated share of URLs of the kind; None where none was decided. Unknown ones are as if not listed."""
        return share(self.images, self.others, self.hits, self.image_hits, self.stopped)

    @property
    def share_if_unknown_alive(self) -> float | None:
        """The same if none that are unknown were of the kind.

        They count as no images, whatever they are: an answer that never came did not bring the n-th image nearer, so
        that N with them in it is still the place where the n-th of the *other* images stopped the class. So both
        bounds are unbiased where what is unknown is so for good.
        """
        return share(self.images, self.others + self.unknown, self.hits, self.image_hits, self.stopped)

    @property
    def share_if_unknown_dead(self) -> float | None:
        """The same if all that are unknown were of the kind."""
        others, hits = self.others + self.unknown, self.hits + self.unknown
        return share(self.images, others, hits, self.image_hits, self.stopped)


def share(images: int, others: int, hits: int, image_hits: int, stopped: bool, /) -> float | None:
    """The estimated share of a kind in a class's list: the weights of its URLs; None where none was decided.

    Args:
        images: URLs that became images.
        others: URLs that were decided and did not.
        hits: those of `others` that are of the kind.
        image_hits: those of `images` that are.
        stopped: whether the last of them is the n-th image, which ended it.

    >>> share(10, 3, 3, 0, True) == (13 - 10) / (13 - 1)
    True
    """
    if not images + others:
        return None
    if not stopped:
        return (hits + image_hits) / (images + others)
    if not others:
        return image_hits / images
    return (hits + image_hits * (images - 1) / images) / (images + others - 1)


class Seen(NamedTuple):
    """One URL of a class that was asked for: whether it told anything, is an image, and is of the kind in question."""

    decided: bool
    image: bool
    hit: bool


def sample_of(urls: Iterable[Seen], *, n: int, listed: int) -> Sample:
    """The sample that URLs in the order of the list are, those beyond the n-th image left out."""
    images = others = unknown = hits = image_hits = 0
    for url in urls:
        if images == n:
            break
        if not url.decided:
            unknown += 1
        elif url.image:
            images += 1
            image_hits += url.hit
        else:
            others += 1
            hits += url.hit
    return Sample(
        images=images,
        others=others,
        unknown=unknown,
        hits=hits,
        image_hits=image_hits,
        stopped=images == n,
        listed=listed,
    )
