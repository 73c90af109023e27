"""The output folder: temporary files, names, digests, and what runs have under way there.

Knows descriptors, syncs and links. Must not know the manifest or what a file means. Gives `names`, the door; `store`,
which writes; `journal` and `leftovers`, what a run that was cut short left; `looking`, which only reads.
"""
