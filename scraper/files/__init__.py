"""The output folder: temporary files, names, digests.

Knows descriptors, syncs and renames. Must not know the manifest or what a file means. Gives `store`.
"""
