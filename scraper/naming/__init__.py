"""Names, meanings and presets to classes: WordNet's nouns that are classes of ImageNet, and what stands above them.

Knows WordNet's table, which ships with the package and is read when a command first needs it. Must not know lists of
URLs, the manifest or the net. Gives `wordnet.WordNet`, `shipped.wordnet` that reads it, `finding`, `choosing`,
`labels`, `people` and `presets`.
"""
