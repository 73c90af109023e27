"""The forms of datasets, a module each behind `interface.Writer`.

Knows what loaders read. Must not know how images are chosen, read or converted.
"""
