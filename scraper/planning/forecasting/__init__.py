"""What a plan can give: `forecast` has the mathematics, `outlook` makes one of a manifest, `counting` looks into lists.

Knows how classes stand, what survival was measured, and lists on this machine. Must not know the net, or names.
"""
