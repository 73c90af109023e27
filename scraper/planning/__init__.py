"""Phase one: classes to lists to candidates.

Knows the sources of lists and their forms, and the lists of classes that people have. Must not know images, pictures
or what becomes of a candidate. Gives `resolving.plan` and its values, and `classlists`.
"""
