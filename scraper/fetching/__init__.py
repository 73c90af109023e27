"""Phase two: the coordinator that drains the manifest, and the decisions it asks for.

Knows one try for a candidate (`worker`), whose turn it is (`scheduler`), what earlier runs left (`resuming`), what a
picture is among the others (`placing`) and whether an answer is the photo's own (`doubts`). Must not know lists,
reports or SQL. Gives `draining.fetch` and its values.
"""
