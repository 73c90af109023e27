"""The manifest: the SQLite file of every class, candidate, image and request.

Knows SQL, the schema and its lock; the only package that does. Must not know the net or the output folder. Gives
`core.Manifest` and the values it takes and returns.
"""
