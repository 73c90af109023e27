"""Leaving a photo out for good, since someone asked: its file, its place in every class, and its bytes.

What was asked and answered stays on record without the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.auditing.tracing import find, named_by
from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError
from scraper.kinds import several
from scraper.manifest.access import withdrawing
from scraper.manifest.access.withdrawing import Withdrawal
from scraper.manifest.core import Manifest
from scraper.model import Outcome, State, Withdrawn
from scraper.records import Revision
from scraper.running.removing import check_folder, remove_images
from scraper.running.session import exclusive, recorded
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scraper.manifest.access.withdrawing import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetSummary:
    """What was left out.

    Attributes:
        withdrawn: photos, URLs and digests that are never asked for or kept again.
        candidates: candidates that changed thereby.
        removed: paths of images that are gone.
        stayed: paths of images whose files have other bytes than recorded and were let be.
    """

    manifest: Path
    withdrawn: tuple[Withdrawal, ...]
    candidates: int
    removed: tuple[str, ...]
    stayed: tuple[str, ...]


def forget(
    what: Iterable[str],
    *,
    out: Path | str = "images",
    manifest: Path | str = DEFAULT_MANIFEST,
    argv: Sequence[str] = (),
) -> ForgetSummary:
    """Leave photos out for good: their images are removed, and no size of them is asked for again in any class.

    Args:
        what: paths of images, SHA-256 digests, Flickr photo ids or URLs.
        out: folder of the images.
        manifest: path of the manifest.
        argv: the command line, for the record.

    Raises:
        InputError: one of them is unknown and cannot be left out in advance, or the folder is missing or another one.
        ManifestError: the manifest cannot be used, or another run holds it.
        StoppedEarlyError: the file system refused; the same command goes on.
    """
    path, out, given = Path(manifest), Path(out), list(several(what))
    with exclusive(path, create=False) as book:
        wanted = _everything(book, given)
        affected = [known for known in withdrawing.matching(book, wanted) if known.outcome is not Outcome.WITHDRAWN]
        images = [image for known in affected if (image := withdrawing.image_of(book, known.candidate_id))]
        if images and not out.is_dir():
            raise InputError(f"there is no folder {out}: give the --out that fetch wrote to")
        if images:
            check_folder(book, out, "if they are gone")
        with recorded(book, "forget", argv) as run:
            stayed = _withdraw(book, run.id, out, affected, wanted)
        removed = tuple(image.path for image in images if image.path not in stayed)
        return ForgetSummary(
            manifest=path, withdrawn=tuple(wanted), candidates=len(affected), removed=removed, stayed=stayed
        )


def _withdraw(
    book: Manifest, run_id: int, out: Path, affected: Sequence[Known], wanted: Sequence[Withdrawal]
) -> tuple[str, ...]:
    """Withdraw candidates with their images; returns the paths of files that have other bytes and were let be."""
    why = withdrawing.WITHDRAWN_WHY
    revisions = [
        Revision(known.candidate_id, State.LOST, Outcome.WITHDRAWN, why, known.form, known.fate) for known in affected
    ]
    found = [image for known in affected if (image := withdrawing.image_of(book, known.candidate_id))]
    images = [(image.path, image.bytes, image.sha256) for image in found]
    return remove_images(book, run_id, out, images, revisions, withdrawals=wanted)


def withdrawn(*, manifest: Path | str = DEFAULT_MANIFEST) -> tuple[Withdrawal, ...]:
    """All that is left out for good in a manifest.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    with Manifest.open(Path(manifest)) as book:
        return tuple(withdrawing.withdrawals(book))


def _everything(book: Manifest, what: Sequence[str]) -> list[Withdrawal]:
    """What must be left out, so that nothing of the photos meant comes back: their ids, URLs and bytes."""
    named: dict[Withdrawal, None] = {}
    unknown = []
    for one in what:
        found, by_name = find(book, one), named_by(one)
        if not found and by_name is None:
            unknown.append(one_line(one, 100))
        named.update(dict.fromkeys(by_name or ()))
        for known in found:
            named.update(dict.fromkeys(_of(book, known)))
    if unknown:
        raise InputError(f"the manifest {book.path} knows nothing of {', '.join(unknown)}")
    before = 0
    while len(named) > before:  # a photo may be there under other ids, by the same bytes
        before = len(named)
        for known in withdrawing.matching(book, named):
            named.update(dict.fromkeys(_of(book, known)))
    return list(named)


def _of(book: Manifest, known: Known) -> Iterable[Withdrawal]:
    if known.photo_id is None:
        yield Withdrawal(Withdrawn.URL, known.url)
    else:
        yield Withdrawal(Withdrawn.PHOTO, str(known.photo_id))
    image = withdrawing.image_of(book, known.candidate_id)
    if image is not None:
        yield Withdrawal(Withdrawn.SHA256, image.sha256)
