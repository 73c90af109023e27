"""Running the command as people do: a process of its own, in a folder of its own, against the stand-in."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from tests.nursery import KILL_AT, nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from tests.nursery import Forked
    from tests.standin import StandIn

LONGEST: Final = 300.0
"""Seconds after which a command counts as hung."""
NUMBERS: Final = (
    "SELECT candidates.wnid, outcome, sum(tries = 0), sum(tries > 0 AND state = 'saved' AND fate IS NOT NULL), "
    "coalesce(sum(bytes), 0) FROM candidates LEFT JOIN images ON candidate_id = id "
    "WHERE outcome IS NOT NULL GROUP BY candidates.wnid, outcome"
)
NO_ANSWER: Final = (
    "'throttled', 'server_error', 'timeout', 'dns_error', 'connection_error', 'tls_error', 'protocol_error', "
    "'redirect_error', 'bad_status', 'intercepted'"
)
"""The outcomes that say nothing of the photo, for SQL."""
_DROPPED: Final = ("PROXY", "SSL_CERT", "PYTHONWARNINGS", "COLUMNS", "FORCE_COLOR")


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Process(Protocol):
    """What `Forked` and `subprocess.Popen` have in common."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...


class Scraper:
    """The command, in a folder; with a stand-in, plan, fetch and survey are led there.

    Warnings are errors in the processes too.
    """

    def __init__(self, folder: Path, standin: StandIn | None = None, manifest: str = "manifests/scraper.db") -> None:
        self.variables: dict[str, str] = {}
        """Variables of the environment for this command, beside ours."""
        self.folder = folder
        self.standin = standin
        self.manifest = folder / manifest
        self.images = folder / "images"

    def command(self, *words: str) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-W", "error", "-m", "scraper", *self._words(*words)]

    def _words(self, *words: str) -> list[str]:
        """The words behind the command's name."""
        network: list[str] = []
        if self.standin is not None and words[0] in ("plan", "fetch", "survey"):
            network = [f"--connect-to={self.standin.connect_to}", f"--ca-certs={self.standin.ca_file}"]
        return [*words, *network]

    def environment(self) -> Mapping[str, str]:
        """Ours, without what would lead the command elsewhere, and what this command is to find there."""
        ours = {name: value for name, value in os.environ.items() if not any(d in name.upper() for d in _DROPPED)}
        # Only the stand-in is trusted: a command takes longer to read the system's certificates than for all else.
        trusted = {} if self.standin is None else {"SSL_CERT_FILE": str(self.standin.ca_file)}
        return ours | trusted | self.variables

    def run(self, *words: str, stdin: bytes = b"", umask: int = -1, limits: Mapping[int, int] | None = None) -> Result:
        """Run a command to its end; see `Nursery.start` for the umask and the limits."""
        return finish(self.start(*words, stdin=stdin, umask=umask, limits=limits))

    def killed_at(self, moment: int, *words: str) -> int:
        """Run a command that is killed the moment before it does the n-th thing to a file; how it ended."""
        forked = nursery().start(words, cwd=self.folder, env={**self.environment(), KILL_AT: str(moment)})
        code = forked.wait(LONGEST)
        assert code in (0, -signal.SIGKILL), forked.err
        return code

    def all(self, *commands: tuple[str, ...]) -> list[Result]:
        """Run several commands at once, for those that do not get in each other's way."""
        with ThreadPoolExecutor(4) as executor:
            return list(executor.map(lambda words: self.run(*words), commands))

    def done(self, *words: str, code: int = 0, stdin: bytes = b"") -> Result:
        """Run a command that must end with `code`."""
        result = self.run(*words, stdin=stdin)
        assert result.code == code, result
        return result

    def start(
        self, *words: str, stdin: bytes = b"", umask: int = -1, limits: Mapping[int, int] | None = None
    ) -> Forked:
        """Start a command; whoever calls waits for it."""
        mine, variables = self._words(*words), self.environment()
        return nursery().start(mine, cwd=self.folder, env=variables, stdin=stdin, umask=umask, limits=limits)

    def start_anew(self, *words: str) -> subprocess.Popen[str]:
        """Start a command with an interpreter of its own, where what that does or takes is the subject."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query on the manifest."""
        with closing(sqlite3.connect(f"{self.manifest.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(sql, parameters).fetchall()

    def one(self, sql: str, *parameters: object) -> Any:
        """The only value of a query on the manifest."""
        ((value,),) = self.rows(sql, *parameters)
        return value

    def wait(self, sql: str, enough: int, process: Process) -> None:
        """Wait until a count in the manifest that `process` writes is at least `enough`."""

        def reached() -> bool:
            try:
                return int(self.one(sql)) >= enough
            except sqlite3.OperationalError:  # not made yet
                return False

        until(reached, process)

    def report(self) -> dict[str, Any]:
        """The report, as JSON."""
        found: dict[str, Any] = json.loads(self.done("report", "--format", "json").out)
        return found

    def snapshot(self) -> dict[str, str]:
        """Everything in the folder, with the digest of every file.

        Left out is what SQLite itself keeps beside a file that is read, as long as it holds nothing.
        """
        found = {}
        for path in sorted(self.folder.rglob("*")):
            body = path.read_bytes() if path.is_file() else b""
            if not path.name.endswith("-shm") and not (path.name.endswith("-wal") and not body):
                found[str(path.relative_to(self.folder))] = hashlib.sha256(body).hexdigest()
        return found


def until(condition: Callable[[], bool], process: Process | None = None) -> None:
    """Wait for a condition, for as long as `process` runs."""
    expires = time.monotonic() + LONGEST
    while not condition():
        ended = process is not None and process.poll() is not None
        assert not ended, process and process.communicate()
        assert time.monotonic() < expires, "waited in vain"
        time.sleep(0.02)


def finish(process: Process) -> Result:
    """Wait for a started command."""
    try:
        out, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        raise
    assert "Traceback" not in err, err
    return Result(process.returncode, out, err)


def check_manifest(scraper: Scraper) -> None:
    """The invariants that hold in the manifest at any moment, by queries of our own."""
    assert scraper.one("PRAGMA integrity_check") == "ok"
    nothing = {
        "states": "SELECT * FROM candidates WHERE state NOT IN ('waiting', 'saved', 'lost', 'unknown')",
        "saved without image": "SELECT id FROM candidates WHERE state = 'saved' "
        "AND id NOT IN (SELECT candidate_id FROM images)",
        "image without saved": "SELECT candidate_id FROM images WHERE candidate_id NOT IN "
        "(SELECT id FROM candidates WHERE state = 'saved')",
        "outcome of saved": "SELECT id FROM candidates WHERE (state = 'saved') <> (outcome IS 'saved')",
        "lost without an answer": f"SELECT id FROM candidates WHERE state = 'lost' AND outcome IN ({NO_ANSWER})",  # noqa: S608 - the words are ours
        "unknown with one": f"SELECT id FROM candidates WHERE state = 'unknown' AND outcome NOT IN ({NO_ANSWER})",  # noqa: S608
        "one path, one image": "SELECT path FROM images GROUP BY path HAVING count(*) > 1",
        "more than n": "SELECT wnid FROM classes WHERE n < "
        "(SELECT count(*) FROM images WHERE images.wnid = classes.wnid)",
        "beyond the budget": "SELECT candidates.id FROM candidates JOIN classes USING (wnid) "
        "WHERE rank > budget AND tries > 0",
        "tries": "SELECT id FROM candidates WHERE tries <> "
        "(SELECT count(*) FROM attempts WHERE candidate_id = candidates.id)",
        "numbers of tries": "SELECT candidate_id FROM attempts GROUP BY candidate_id "
        "HAVING min(try) <> 1 OR max(try) <> count(*) OR count(DISTINCT try) <> count(*)",
        "last outcome": "SELECT candidates.id FROM candidates JOIN attempts ON attempts.id = "
        "(SELECT max(id) FROM attempts WHERE candidate_id = candidates.id) "
        "WHERE candidates.outcome IS NOT attempts.outcome AND fate IS NULL "
        "AND candidates.id NOT IN (SELECT candidate_id FROM revisions)",
        "last outcome of dead URLs": "SELECT candidates.id FROM candidates JOIN attempts ON attempts.id = "
        "(SELECT max(id) FROM attempts WHERE candidate_id = candidates.id) "
        "WHERE fate IS NOT NULL AND candidates.outcome NOT IN (fate, attempts.outcome, 'intercepted')",
        "fates": "SELECT id FROM candidates WHERE (form IS NULL) <> (fate IS NULL) OR tries = 0 AND fate IS NOT NULL",
        "last revision": "SELECT candidates.id FROM candidates JOIN revisions ON revisions.id = "
        "(SELECT max(id) FROM revisions WHERE candidate_id = candidates.id) WHERE tries = 0 "
        "AND (outcome IS NOT outcome_after OR state <> state_after)",
        "outcome without a request or a revision": "SELECT id FROM candidates WHERE outcome IS NOT NULL AND tries = 0 "
        "AND id NOT IN (SELECT candidate_id FROM revisions)",
        "images of placeholders": "SELECT path FROM images WHERE sha256 IN (SELECT sha256 FROM placeholders)",
        "the same bytes twice": "SELECT sha256 FROM images GROUP BY wnid, sha256 HAVING count(*) > 1",
        "placeholders without a digest": "SELECT candidate_id FROM revisions WHERE state_after = 'lost' "
        "AND outcome_after = 'placeholder' AND reason LIKE 'the same bytes %' AND candidate_id NOT IN "
        "(SELECT candidate_id FROM attempts JOIN placeholders USING (sha256))",
        "counts of classes": "SELECT wnid, outcome, candidates FROM class_outcomes WHERE candidates > 0 EXCEPT "
        "SELECT wnid, outcome, count(*) FROM candidates WHERE outcome IS NOT NULL AND tries > 0 GROUP BY wnid, outcome",
        "classes counted": "SELECT wnid, outcome, count(*) FROM candidates WHERE outcome IS NOT NULL AND tries > 0 "
        "GROUP BY wnid, outcome EXCEPT SELECT wnid, outcome, candidates FROM class_outcomes",
        "other numbers of classes": "SELECT wnid, outcome, unasked, repaired, bytes FROM class_outcomes "  # noqa: S608 - our own
        f"WHERE unasked OR repaired OR bytes EXCEPT {NUMBERS}",
        "other numbers counted": f"{NUMBERS} HAVING sum(tries = 0) OR sum(bytes) "  # noqa: S608 - our own
        "EXCEPT SELECT wnid, outcome, unasked, repaired, bytes FROM class_outcomes",
        "counts of statuses": "SELECT status, requests FROM statuses EXCEPT "
        "SELECT coalesce(CAST(status AS TEXT), 'none'), count(*) FROM attempts GROUP BY 1",
        "budgets": "SELECT wnid FROM classes WHERE budget < (SELECT max(budget_after) FROM raises "
        "WHERE raises.wnid = classes.wnid)",
    }
    for name, sql in nothing.items():
        assert scraper.rows(sql) == [], name
    tried = "SELECT url, coalesce(fate, outcome) FROM candidates WHERE outcome IS NOT NULL AND tries > 0"
    hosts = Counter(((urlsplit(url).hostname or "").lower(), outcome) for url, outcome in scraper.rows(tried))
    counted = scraper.rows("SELECT host, outcome, candidates FROM host_outcomes WHERE candidates > 0")
    assert {(host, outcome): candidates for host, outcome, candidates in counted} == hosts


def check_files(scraper: Scraper, *, strays: bool = False, others: Collection[str] = ()) -> None:
    """Every image is on disk as its row says, and (unless `strays` are to be expected) nothing else is but `others`."""
    rows = scraper.rows("SELECT path, bytes, sha256 FROM images")
    for path, size, sha256 in rows:
        body = (scraper.images / path).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (size, sha256), path
    files = {str(path.relative_to(scraper.images)) for path in scraper.images.rglob("*") if path.is_file()}
    named = {path for path in files if not path.startswith(".partial/")}
    assert strays or named == {path for path, _, _ in rows} | set(others)


def check(scraper: Scraper, *, others: Collection[str] = ()) -> None:
    """Every invariant of a manifest whose run ended in good order; `others` are files that are not its own."""
    check_manifest(scraper)
    check_files(scraper, others=others)
    assert not (scraper.images / ".partial").exists()
