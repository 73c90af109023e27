"""What a manifest says, as text, for programs, as a page and for a paper.

Knows the manifest. Must not know the net or the output folder. Gives `numbers.report` and its values.
"""
