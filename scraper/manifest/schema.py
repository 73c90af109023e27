"""The manifest's schema. `manifests/README.md` explains it to users, and a test keeps the two together.

The tables that grow with the lists are small physical tables (`candidate`, `image`, `attempt`); what users read are
the views `candidates`, `images` and `attempts` over them. A candidate's id carries its class and rank,
`14407640000003` being number 3 of n01440764, which saves a column, two indexes and a join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scraper.model import LISTING_OUTCOMES, Check, Form, Frame, Oddity, Outcome, State

if TYPE_CHECKING:
    from collections.abc import Iterable

APPLICATION_ID: Final = 0x73637270
"""`scrp` in ASCII, in the header of the file (https://www.sqlite.org/pragma.html#pragma_application_id)."""
VERSION: Final = 2
"""Of this schema, in the header of the file. `migrating` brings older ones up to it."""

RANKS: Final = 10_000_000
"""Candidates a class may have: id = wnid's number x RANKS + rank."""

STATES: Final = ("waiting", "saved", "lost", "unknown")
"""What the number in `candidate.state` means."""

REST_RUNS: Final = 5
"""Runs after which a candidate that none of them has learnt anything of rests, if they were spread over some days."""
REST_SECONDS: Final = 7 * 86400.0
"""From the first of these runs to the last."""

FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")
"""What `image.format` may say."""

COUNTS: Final = {
    "class_outcomes": (("wnid", "outcome"), ("candidates", "unasked", "repaired", "bytes")),
    "host_outcomes": (("host", "outcome"), ("candidates",)),
    "statuses": (("status",), ("requests",)),
}
"""The tables of counts that are kept with every batch: what is told apart, and what is counted."""


def _one_of(column: str, words: Iterable[str]) -> str:
    """A check that a column holds one of some words, or NULL; `IN` would build a table of them for each statement."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


TABLES: Final = f"""
CREATE TABLE manifest (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  identity TEXT NOT NULL CHECK (length(identity) >= 12),
  made_at TEXT NOT NULL,
  made_by TEXT NOT NULL,
  batch TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE classes (
  wnid TEXT PRIMARY KEY CHECK (length(wnid) = 9 AND wnid GLOB 'n[0-9]*' AND substr(wnid, 2) NOT GLOB '*[^0-9]*'),
  label TEXT,
  n INTEGER NOT NULL CHECK (n >= 1),
  budget INTEGER NOT NULL CHECK (budget >= 1),
  source TEXT,
  hosts TEXT,
  shuffle TEXT,
  resolved_at TEXT,
  resolve_outcome TEXT CHECK ({_one_of("resolve_outcome", LISTING_OUTCOMES)}),
  resolve_error TEXT,
  http_status INTEGER,
  listed INTEGER NOT NULL DEFAULT 0 CHECK (listed >= 0),
  candidates INTEGER NOT NULL DEFAULT 0 CHECK (candidates >= 0),
  malformed INTEGER NOT NULL DEFAULT 0 CHECK (malformed >= 0),
  repeated INTEGER NOT NULL DEFAULT 0 CHECK (repeated >= 0),
  listing_sha256 TEXT,
  listing_form TEXT,
  dropped_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE candidate (
  id INTEGER PRIMARY KEY CHECK (id > 0 AND id < 1000000000000000 AND id % 10000000 > 0),
  url TEXT NOT NULL CHECK (url <> ''),
  photo_id INTEGER,
  filename TEXT CHECK (filename GLOB '[A-Za-z0-9_]*' AND filename NOT GLOB '*[^-A-Za-z0-9._]*'),
  state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  outcome TEXT CHECK ({_one_of("outcome", Outcome)}),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  not_before REAL CHECK (not_before BETWEEN 0 AND 1e12),
  form TEXT CHECK ({_one_of("form", Form)}),
  fate TEXT CHECK ({_one_of("fate", Outcome)}),
  unknown_runs INTEGER CHECK (unknown_runs >= 1),
  unknown_since REAL CHECK (unknown_since BETWEEN 0 AND 1e12)
) STRICT;
CREATE INDEX candidate_unknown ON candidate (unknown_since) WHERE state = 3 AND unknown_runs >= {REST_RUNS};

CREATE TABLE image (
  candidate_id INTEGER PRIMARY KEY REFERENCES candidate (id),
  path TEXT NOT NULL CHECK (
    path GLOB printf('n%08d/[A-Za-z0-9_]*', candidate_id / 10000000) AND substr(path, 11) NOT GLOB '*[^-A-Za-z0-9._]*'
  ),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  format TEXT NOT NULL CHECK ({_one_of("format", FORMATS)}),
  width INTEGER NOT NULL CHECK (width >= 1),
  height INTEGER NOT NULL CHECK (height >= 1),
  saved_at TEXT NOT NULL,
  checked TEXT NOT NULL CHECK ({_one_of("checked", Check)}),
  adopted INTEGER NOT NULL DEFAULT 0 CHECK (adopted BETWEEN 0 AND 1),
  mark TEXT
) STRICT;
CREATE INDEX image_digest ON image (substr(sha256, 1, 12));

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  command TEXT NOT NULL,
  argv TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  exit_code INTEGER
) STRICT;

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  try INTEGER NOT NULL CHECK (try >= 1),
  started_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL CHECK ({_one_of("outcome", Outcome)}),
  final_url TEXT,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  content_type TEXT,
  retry_after REAL,
  error TEXT,
  hops TEXT,
  sha256 TEXT
) STRICT;
CREATE INDEX attempt_duplicate ON attempt (sha256) WHERE outcome = 'duplicate';
CREATE INDEX attempt_changed ON attempt (sha256) WHERE outcome = 'changed';

CREATE TABLE revisions (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  revised_at TEXT NOT NULL,
  outcome_before TEXT CHECK ({_one_of("outcome_before", Outcome)}),
  outcome_after TEXT CHECK ({_one_of("outcome_after", Outcome)}),
  state_after TEXT NOT NULL CHECK ({_one_of("state_after", State)}),
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE placeholders (
  sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  found_at TEXT NOT NULL,
  photos INTEGER NOT NULL CHECK (photos >= 1)
) STRICT, WITHOUT ROWID;

CREATE TABLE withdrawals (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind = 'photo' OR kind = 'url' OR kind = 'sha256'),
  value TEXT NOT NULL,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  withdrawn_at TEXT NOT NULL,
  UNIQUE (kind, value)
) STRICT;

CREATE TABLE locked (
  candidate_id INTEGER PRIMARY KEY REFERENCES candidate (id),
  rank INTEGER NOT NULL CHECK (rank >= 1),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes INTEGER NOT NULL CHECK (bytes >= 1)
) STRICT;

CREATE TABLE locked_classes (
  wnid TEXT PRIMARY KEY REFERENCES classes (wnid),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  listing_sha256 TEXT CHECK (length(listing_sha256) = 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE paces (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  host_group TEXT NOT NULL,
  found_at TEXT NOT NULL,
  rate REAL CHECK (rate > 0 AND rate <= 1e6),
  at_once INTEGER CHECK (at_once >= 1),
  usually_closed REAL CHECK (usually_closed >= 0),
  closed REAL CHECK (closed >= 0),
  refusal TEXT CHECK ({_one_of("refusal", Outcome)})
) STRICT;

CREATE TABLE rechecks (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  asked_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  outcome_before TEXT CHECK ({_one_of("outcome_before", Outcome)}),
  outcome TEXT NOT NULL CHECK ({_one_of("outcome", Outcome)}),
  status INTEGER,
  final_url TEXT,
  error TEXT
) STRICT;
CREATE INDEX recheck_run ON rechecks (run_id);

CREATE TABLE surveys (
  run_id INTEGER PRIMARY KEY REFERENCES runs (id),
  frame TEXT NOT NULL CHECK ({_one_of("frame", Frame)}),
  urls INTEGER NOT NULL CHECK (urls >= 0),
  seed TEXT,
  sample INTEGER,
  until REAL
) STRICT;

CREATE TABLE listings (
  id INTEGER PRIMARY KEY,
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  try INTEGER NOT NULL CHECK (try >= 1),
  started_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL CHECK ({_one_of("outcome", LISTING_OUTCOMES)}),
  url TEXT NOT NULL,
  error TEXT
) STRICT;

CREATE TABLE whole_lists (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  read_at TEXT NOT NULL,
  source TEXT NOT NULL,
  url TEXT,
  form TEXT NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  sha256 TEXT CHECK (length(sha256) = 64),
  classes INTEGER NOT NULL CHECK (classes >= 0)
) STRICT;

CREATE TABLE odd_lines (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  source TEXT NOT NULL,
  wnid TEXT REFERENCES classes (wnid),
  kind TEXT NOT NULL CHECK ({_one_of("kind", Oddity)}),
  lines INTEGER NOT NULL CHECK (lines >= 1),
  example TEXT NOT NULL
) STRICT;

CREATE TABLE forecasts (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  made_at TEXT NOT NULL,
  survival REAL NOT NULL CHECK (survival BETWEEN 0 AND 1),
  correlation REAL NOT NULL CHECK (correlation BETWEEN 0 AND 1),
  decided INTEGER NOT NULL CHECK (decided >= 0),
  classes INTEGER NOT NULL CHECK (classes >= 0),
  wanted INTEGER NOT NULL CHECK (wanted >= 0),
  images REAL NOT NULL CHECK (images >= 0),
  requests REAL NOT NULL CHECK (requests >= 0),
  bytes REAL NOT NULL CHECK (bytes >= 0),
  short REAL NOT NULL CHECK (short >= 0)
) STRICT;

CREATE TABLE raises (
  id INTEGER PRIMARY KEY,
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  raised_at TEXT NOT NULL,
  budget_before INTEGER NOT NULL,
  budget_after INTEGER NOT NULL,
  survival REAL NOT NULL
) STRICT;

CREATE TABLE class_outcomes (
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  outcome TEXT NOT NULL CHECK ({_one_of("outcome", Outcome)}),
  candidates INTEGER NOT NULL,
  unasked INTEGER NOT NULL,
  repaired INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (wnid, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE host_outcomes (
  host TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK ({_one_of("outcome", Outcome)}),
  candidates INTEGER NOT NULL,
  PRIMARY KEY (host, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE statuses (
  status TEXT PRIMARY KEY,
  requests INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

VIEWS: Final = """
CREATE VIEW candidates AS
SELECT id, printf('n%08d', id / 10000000) AS wnid, id % 10000000 AS rank, url, photo_id,
  CASE state WHEN 0 THEN 'waiting' WHEN 1 THEN 'saved' WHEN 2 THEN 'lost' ELSE 'unknown' END AS state,
  outcome, tries, strftime('%Y-%m-%dT%H:%M:%fZ', not_before, 'unixepoch') AS not_before, filename, form, fate
FROM candidate;

CREATE VIEW images AS
SELECT image.candidate_id, printf('n%08d', image.candidate_id / 10000000) AS wnid, candidate.url, image.path,
  image.sha256, image.bytes, image.format, image.width, image.height, image.saved_at, image.checked, image.adopted
FROM image JOIN candidate ON candidate.id = image.candidate_id;

CREATE VIEW attempts AS
SELECT id, candidate_id, run_id, try, started_at, seconds, status, outcome, final_url, bytes, content_type,
  retry_after, error, hops, sha256
FROM attempt;

CREATE VIEW class_progress AS
SELECT classes.wnid, label, n, budget, resolve_outcome, resolve_error, listed, classes.candidates,
  coalesce(sum(class_outcomes.candidates), 0) AS tried,
  coalesce(sum(class_outcomes.candidates) FILTER (WHERE outcome = 'saved'), 0) AS saved
FROM classes LEFT JOIN class_outcomes ON class_outcomes.wnid = classes.wnid
WHERE dropped_at IS NULL GROUP BY classes.wnid;

CREATE VIEW shortfall AS
SELECT wnid, label, n, saved, max(0, n - saved) AS shortfall, listed, candidates, tried
FROM class_progress WHERE saved < n;

CREATE VIEW shared_images AS
SELECT sha256, count(*) AS images, count(DISTINCT candidate_id / 10000000) AS classes, group_concat(path, ' ') AS paths
FROM image GROUP BY sha256 HAVING count(*) > 1;

CREATE VIEW waves AS
SELECT run_id, min(asked_at) AS began_at, max(asked_at) AS ended_at, outcome_before, outcome, count(*) AS candidates
FROM rechecks GROUP BY run_id, outcome_before, outcome;
"""


def schema_sql() -> list[str]:
    """The statements that make an empty manifest, one each."""
    return [statement.strip() for statement in (TABLES + VIEWS).split(";\n") if statement.strip()]


def class_number(wnid: str) -> int:
    """The number in a wnid, which its candidates' ids begin with."""
    return int(wnid[1:])


def candidate_id(wnid: str, rank: int) -> int:
    """The id of the candidate with this rank in its class."""
    return class_number(wnid) * RANKS + rank


def wnid_of(candidate: int) -> str:
    """The class that a candidate's id belongs to.

    >>> wnid_of(candidate_id("n01440764", 3))
    'n01440764'
    """
    return f"n{candidate // RANKS:08d}"
