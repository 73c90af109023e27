"""Phase two: the coordinator that drains the manifest, and the decisions it asks for.

Knows one try for a candidate (`worker`), whose turn it is (`scheduler`), what earlier runs left (`resuming`) and what
a picture is among the others (`placing`). Must not know lists, reports or SQL. Gives `draining.fetch` and its values.
"""
