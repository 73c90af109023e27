"""Which classes are wanted, by id, name or preset, which are dropped, and which photos are left out on request.

Knows names, the classes in a manifest, what is left out of it, and the options of plan and drop. Must not know sources
of lists.
"""
