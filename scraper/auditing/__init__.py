"""Looking again: images against the manifest, and a sample of URLs, whatever is known of them.

Knows the manifest, the output folder and requests. Must not know lists or budgets. Gives `verifying.verify` and
`surveying.survey`.
"""
