"""A dataset at the end: the manifest and the images as folders, shards or tables, with splits, a card and a lock.

Knows the manifest, the output folder and the forms that loaders read. Must not know requests or what a candidate may
still become. Gives `dataset.export` and its values.
"""
