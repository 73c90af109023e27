"""The lines of lists, and of lists of classes: their bytes, how they are packed and encoded, and the URLs on them.

Knows what people's files are made of. Must not know forms of lists, sources, networks or the manifest. Gives
`unpacking.members`, `streams.Stream`, `listedurls.find_url` and the rest to readers of forms.
"""
