"""Which classes are wanted: those a plan is asked for, by id, name or preset, and those that are dropped.

Knows names, and the classes in a manifest. Must not know sources of lists, or what a list holds.
"""
