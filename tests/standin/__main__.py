"""Serve a stand-in for the demo and for experiments in a shell: `python -m tests.standin --help`."""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import threading
from pathlib import Path

from tests.standin.server import StandIn
from tests.standin.world import World


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="same seed, same world (default 1)")
    parser.add_argument("--classes", type=Path, required=True, help="CSV file of label,wnid lines")
    parser.add_argument("--flickr", type=int, default=40, help="Flickr URLs a class (default 40)")
    parser.add_argument("--other", type=int, default=30, help="other URLs a class (default 30)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer (default 0)")
    parser.add_argument("--ready", type=Path, required=True, help="JSON file written once it serves")
    parser.add_argument("--seconds", type=float, default=None, help="end after this time (default: serve on)")
    return parser.parse_args()


def _classes(path: Path) -> list[tuple[str, str]]:
    """(wnid, label) pairs from label,wnid lines."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row[1].strip(), row[0].strip()) for row in csv.reader(file) if len(row) >= 2]


def _announce(standin: StandIn, path: Path) -> None:
    """Write where the stand-in is, in one step, so that whoever waits for the file never reads half of it."""
    facts = {
        "connect_to": standin.connect_to,
        "ca_file": str(standin.ca_file),
        "http_port": standin.http_port,
        "https_port": standin.https_port,
        "pid": os.getpid(),
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    draft.replace(path)
    print(f"Stand-in ready: scraper ... --connect-to {standin.connect_to} --ca-certs {standin.ca_file}", flush=True)


def main() -> None:
    """Serve until SIGTERM or SIGINT comes or the time is over."""
    options = _arguments()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    world = World.of(options.seed, _classes(options.classes), flickr=options.flickr, other=options.other)
    with StandIn(world, latency=options.latency) as standin:
        _announce(standin, options.ready)
        over.wait(options.seconds)


if __name__ == "__main__":
    main()
