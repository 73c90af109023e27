"""Planning from a lock: its lines, judged; its classes, as a source of lists; and lists of others behind it.

Knows the form of locks, and what is on record of them. Must not know where other lists come from, or what becomes of
a candidate. Gives `opening.open_lock`, `source` and `checking`.
"""
