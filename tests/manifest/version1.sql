-- The schema of version 1, as scraper 0.1.0 wrote it.

CREATE TABLE classes (
  wnid TEXT PRIMARY KEY,
  label TEXT,
  n INTEGER NOT NULL,
  budget INTEGER NOT NULL,
  source TEXT,
  hosts TEXT,
  shuffle TEXT,
  resolved_at TEXT,
  resolve_outcome TEXT,
  resolve_error TEXT,
  http_status INTEGER,
  listed INTEGER NOT NULL DEFAULT 0,
  candidates INTEGER NOT NULL DEFAULT 0,
  malformed INTEGER NOT NULL DEFAULT 0,
  repeated INTEGER NOT NULL DEFAULT 0,
  listing_sha256 TEXT
) WITHOUT ROWID;

CREATE TABLE candidate (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  photo_id INTEGER,
  filename TEXT,
  state INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  not_before REAL,
  form TEXT,
  fate TEXT
);

CREATE TABLE image (
  candidate_id INTEGER PRIMARY KEY REFERENCES candidate (id),
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  format TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  saved_at TEXT NOT NULL,
  checked TEXT NOT NULL
);
CREATE INDEX image_digest ON image (substr(sha256, 1, 12));

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  command TEXT NOT NULL,
  argv TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  exit_code INTEGER
);

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  try INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL,
  final_url TEXT,
  bytes INTEGER NOT NULL,
  content_type TEXT,
  retry_after REAL,
  error TEXT,
  hops TEXT,
  sha256 TEXT
);
CREATE INDEX attempt_duplicate ON attempt (sha256) WHERE outcome = 'duplicate';

CREATE TABLE revisions (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  revised_at TEXT NOT NULL,
  outcome_before TEXT,
  outcome_after TEXT,
  state_after TEXT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE placeholders (
  sha256 TEXT PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  found_at TEXT NOT NULL,
  photos INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rechecks (
  id INTEGER PRIMARY KEY,
  candidate_id INTEGER NOT NULL REFERENCES candidate (id),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  asked_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  outcome_before TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  final_url TEXT,
  error TEXT
);
CREATE INDEX recheck_run ON rechecks (run_id);

CREATE TABLE listings (
  id INTEGER PRIMARY KEY,
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  try INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL,
  url TEXT NOT NULL,
  error TEXT
);

CREATE TABLE raises (
  id INTEGER PRIMARY KEY,
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  raised_at TEXT NOT NULL,
  budget_before INTEGER NOT NULL,
  budget_after INTEGER NOT NULL,
  survival REAL NOT NULL
);

CREATE TABLE class_outcomes (
  wnid TEXT NOT NULL REFERENCES classes (wnid),
  outcome TEXT NOT NULL,
  candidates INTEGER NOT NULL,
  unasked INTEGER NOT NULL,
  repaired INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (wnid, outcome)
) WITHOUT ROWID;

CREATE TABLE host_outcomes (
  host TEXT NOT NULL,
  outcome TEXT NOT NULL,
  candidates INTEGER NOT NULL,
  PRIMARY KEY (host, outcome)
) WITHOUT ROWID;

CREATE TABLE statuses (
  status TEXT PRIMARY KEY,
  requests INTEGER NOT NULL
) WITHOUT ROWID;

CREATE VIEW candidates AS
SELECT id, printf('n%08d', id / 10000000) AS wnid, id % 10000000 AS rank, url, photo_id,
  CASE state WHEN 0 THEN 'waiting' WHEN 1 THEN 'saved' WHEN 2 THEN 'lost' ELSE 'unknown' END AS state,
  outcome, tries, strftime('%Y-%m-%dT%H:%M:%fZ', not_before, 'unixepoch') AS not_before, filename, form, fate
FROM candidate;

CREATE VIEW images AS
SELECT image.candidate_id, printf('n%08d', image.candidate_id / 10000000) AS wnid, candidate.url, image.path,
  image.sha256, image.bytes, image.format, image.width, image.height, image.saved_at, image.checked
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
GROUP BY classes.wnid;

CREATE VIEW shortfall AS
SELECT wnid, label, n, saved, max(0, n - saved) AS shortfall, listed, candidates, tried
FROM class_progress WHERE saved < n;

CREATE VIEW shared_images AS
SELECT sha256, count(*) AS images, count(DISTINCT candidate_id / 10000000) AS classes, group_concat(path, ' ') AS paths
FROM image GROUP BY sha256 HAVING count(*) > 1;

CREATE VIEW waves AS
SELECT run_id, min(asked_at) AS began_at, max(asked_at) AS ended_at, outcome_before, outcome, count(*) AS candidates
FROM rechecks GROUP BY run_id, outcome_before, outcome;
