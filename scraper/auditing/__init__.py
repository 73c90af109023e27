"""Looking again: images against the manifest, and URLs against what they answered before.

Knows the manifest, the output folder and requests. Must not know lists or budgets. Gives `verifying.verify` and
`rechecking.recheck`.
"""
