"""Whether a run has learnt anything of the photos it asked for, and if not, why."""

from __future__ import annotations

from collections import Counter
from typing import Final

from scraper.model import DECIDED_KINDS, Kind, Outcome

_HANDFUL: Final = 8
"""Photos that may stay unknown run after run, without each of these runs ending as if it had failed."""
_NETWORK: Final = "check the network, and --connect-to or the proxy where you use one"
_ADVICE: Final = {
    Outcome.DNS_ERROR: "check the network and its name servers",
    Outcome.CONNECTION_ERROR: _NETWORK,
    Outcome.TIMEOUT: _NETWORK,
    Outcome.TLS_ERROR: "check whom to trust (--ca-certs, SSL_CERT_FILE) and the clock of this machine",
}


class Learning:
    """Counts what a run has learnt, for as long as that is nothing."""

    def __init__(self) -> None:
        self._learnt = False
        self._fresh = False
        self._answered = False
        self._asked: set[int] = set()
        self._outcomes: Counter[Outcome] = Counter()
        self._errors: dict[Outcome, str] = {}

    def note(self, number: int, outcome: Outcome, error: str | None, *, fresh: bool, answered: bool) -> None:
        """Take in how a try for a candidate ended.

        Args:
            number: of the candidate.
            outcome: of the try.
            error: one line about it.
            fresh: whether it was never asked for before this run.
            answered: whether an HTTP status came at all.
        """
        if self._learnt or outcome.kind is Kind.REFUSED:
            return
        self._learnt = outcome.kind in DECIDED_KINDS
        self._fresh = self._fresh or fresh
        self._answered = self._answered or answered
        self._asked.add(number)
        self._outcomes[outcome] += 1
        self._errors.setdefault(outcome, error or "")

    def cause(self, *, before: bool) -> str | None:
        """Why nothing was learnt, with what to do; None where something was, or nothing was asked for.

        Args:
            before: whether an earlier run has learnt something. That photos which stayed unknown then still do says
                nothing against this run, as long as there are answers, or they are few.
        """
        if self._learnt or not self._asked:
            return None
        if before and not self._fresh and (self._answered or len(self._asked) <= _HANDFUL):
            return None
        outcome, _ = self._outcomes.most_common(1)[0]
        error = f" ({self._errors[outcome]})" if self._errors[outcome] else ""
        count = len(self._asked)
        of = f"any of the {count:,} photos that were" if count > 1 else "the one photo that was"
        return (
            f"nothing was learnt of {of} asked for: {outcome.value.replace('_', ' ')}{error}; "
            f"{_ADVICE.get(outcome, 'wait a while')}, then run the same command again"
        )
