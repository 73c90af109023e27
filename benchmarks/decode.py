"""What checks of a JPEG cost, and how much damage each of them notices."""

from __future__ import annotations

import hashlib
import io
import random
import time
from typing import TYPE_CHECKING, Final

from PIL import Image

from benchmarks.measuring import table
from scraper.pictures.examining import Flaw, examine
from tests.standin import photos

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PHOTOS: Final = 400
ROUNDS: Final = 5


def _half(body: bytes, _rng: random.Random) -> bytes:
    return body[: len(body) // 2]


def _last_bytes(body: bytes, _rng: random.Random) -> bytes:
    return body[:-2]


def _zeroed(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) // 4, len(body) - 5000)
    return body[:at] + bytes(4096) + body[at + 4096 :]


def _flipped(body: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(body)
    for at in rng.sample(range(len(body) // 4, len(body) - 100), 16):
        damaged[at] ^= 0x55
    return bytes(damaged)


DAMAGES: Final[dict[str, Callable[[bytes, random.Random], bytes]]] = {
    "cut in half": _half,
    "last 2 bytes gone": _last_bytes,
    "4 kB zeroed inside": _zeroed,
    "16 bytes flipped": _flipped,
}


def _pillow(body: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _draft(body: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            image.draft("L", (image.width // 8, image.height // 8))
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "SHA-256, to compare": lambda body: bool(hashlib.sha256(body).digest()),
    "Pillow, whole": _pillow,
    "Pillow, draft at an eighth in grey": _draft,
    "`--check header`: signature, segments, end": lambda body: not isinstance(examine(body, decode=False), Flaw),
    "`--check decode`: the same and a strict decode": lambda body: not isinstance(examine(body, decode=True), Flaw),
}


def _cost(check: Callable[[bytes], bool], bodies: list[bytes]) -> float:
    """Milliseconds of processor a photo, the best of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for body in bodies:
            check(body)
        rounds.append(time.process_time() - began)
    return 1000 * min(rounds) / len(bodies)


def run(folder: Path, *, quick: bool) -> str:  # noqa: ARG001 - the signature of every benchmark
    """Measure, and tell in Markdown."""
    rng = random.Random(1)
    bodies = [photos.photo(f"{number}_abcdef.jpg") for number in range(PHOTOS // 10 if quick else PHOTOS)]
    damaged = {name: [damage(body, rng) for body in bodies] for name, damage in DAMAGES.items()}
    rows = []
    for name, check in CHECKS.items():
        whole = sum(map(check, bodies))
        caught = [f"{100 * (1 - sum(map(check, found)) / len(found)):.0f} %" for found in damaged.values()]
        rows.append((name, f"{_cost(check, bodies):.3f}", len(bodies) - whole, *caught))
    size = sum(map(len, bodies)) // len(bodies) // 1000
    about = (
        f"{len(bodies)} photos of {size} kB, a sixth of them progressive; one thread, the best of {ROUNDS} rounds.\n"
    )
    return "\n".join(("## Checks\n", about, table(("check", "ms", "good ones refused", *DAMAGES), rows)))
