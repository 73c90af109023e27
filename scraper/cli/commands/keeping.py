"""The commands for images that are there: writing them as a dataset, checking them, leaving photos out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.cli.commands.command import Command, argv
from scraper.cli.signals import stopping
from scraper.cli.starting import importing
from scraper.cli.streams import print_text
from scraper.errors import InputError
from scraper.kinds import FilePath

if TYPE_CHECKING:
    from scraper.auditing.options import ForgetOptions, VerifyOptions
    from scraper.cli.commands.command import Call
    from scraper.exporting.options import ExportOptions


class _Export(Command["ExportOptions"]):
    name = "export"
    phase = "keep"
    summary = "write the images as a dataset: folders, shards, a table or a lock"
    description = (
        "Write the images as a dataset: imagefolder, webdataset or parquet, which loaders read; csv or jsonl, the "
        "list alone; or a lock, from which the same dataset can be made again.\n\n"
        "Each file is checked as it is read; what is missing or damaged is named and left out. A run may be writing "
        "to the manifest meanwhile."
    )
    words = "FORM DEST"

    def options(self) -> type[ExportOptions]:
        from scraper.exporting.options import ExportOptions

        return ExportOptions

    def run(self, call: Call[ExportOptions]) -> int:
        with importing():
            from scraper.cli.telling.progress import progress_bar
            from scraper.cli.telling.summaries import describe_export
            from scraper.exporting.dataset import export
            from scraper.exporting.options import ExportForm

        if len(call.words) != 2:
            raise InputError("export needs a form and a place, as in `scraper export imagefolder DEST`")
        form, dest = call.words
        if form not in set(ExportForm):
            raise InputError(f"the form of an export is one of {', '.join(ExportForm)}, not {form!r}")
        try:
            FilePath(Path).take(dest)
        except ValueError as error:
            raise InputError(f"the place of an export {error}") from None
        with progress_bar() as bar, stopping() as stop:
            summary = export(form, dest, call.options, manifest=call.manifest, progress=bar, stop=stop)
        print_text(describe_export(summary), done=True)
        return 1 if summary.left_out else 0


class _Verify(Command["VerifyOptions"]):
    name = "verify"
    phase = "keep"
    summary = "re-read every saved image and compare it with the manifest"
    description = (
        "Re-read every saved image and compare its size and SHA-256 with the manifest.\n\n"
        "Exits with 1 if an image is missing or damaged, if there are files that the manifest does not speak of, or "
        "if the manifest contradicts itself. Nothing is changed but by --repair, and no file is removed but by "
        "--remove-strays."
    )

    def options(self) -> type[VerifyOptions]:
        from scraper.auditing.options import VerifyOptions

        return VerifyOptions

    def run(self, call: Call[VerifyOptions]) -> int:
        with importing():
            from scraper.auditing.verifying import verify
            from scraper.cli.telling.progress import progress_bar
            from scraper.cli.telling.summaries import describe_verify

        with progress_bar() as bar, stopping() as stop:
            summary = verify(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=argv())
        print_text(describe_verify(summary), done=call.options.repair or call.options.remove_strays)
        return 0 if summary.sound or summary.repaired else 1


class _Forget(Command["ForgetOptions"]):
    name = "forget"
    phase = "keep"
    summary = "leave a photo out for good, since someone asked"
    description = (
        "Leave photos out for good, since someone asked: their images are removed, no size of them is asked for "
        "again in any class, and exports and locks leave them out. What was asked before stays on record, without "
        "the picture.\n\n"
        "WHAT is the path of an image, the SHA-256 of its bytes, a Flickr photo id or a URL."
    )
    words = "WHAT ..."

    def options(self) -> type[ForgetOptions]:
        from scraper.auditing.options import ForgetOptions

        return ForgetOptions

    def run(self, call: Call[ForgetOptions]) -> int:
        with importing():
            from scraper.auditing.forgetting import forget, withdrawn
            from scraper.cli.telling.summaries import describe_forget

        if call.options.list:
            if call.words:
                raise InputError("forget --list takes nothing else: it prints what is left out already")
            print_text("".join(f"{one.kind} {one.value}\n" for one in withdrawn(manifest=call.manifest)))
            return 0
        if not call.words:
            raise InputError("forget needs what to leave out: paths, digests, photo ids or URLs")
        summary = forget(call.words, out=call.options.out, manifest=call.manifest, argv=argv())
        print_text(describe_forget(summary), done=True)
        return 1 if summary.stayed else 0


EXPORT: Final = _Export()
VERIFY: Final = _Verify()
FORGET: Final = _Forget()
