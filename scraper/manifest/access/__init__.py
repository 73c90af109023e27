"""What the commands ask of a manifest and tell it, a module for each purpose, over `core.Manifest`.

Knows SQL and the values that the commands work with. Must not know how a file is opened, checked or locked, and reads
by `Manifest.select` only, which gives no value away that its column may not hold.
"""
