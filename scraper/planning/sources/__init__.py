"""Where lists of image URLs come from: one file for each kind of source, behind one interface.

Knows files, folders, the network and the known lists. Must not know what is recorded of a class, commands or people.
Gives `opening.open_sources`; a new kind is one new file here and one more line in `opening`.
"""
