"""The forms that lists of image URLs have, one reader each.

Knows the lines of lists. Must not know where a list comes from, files and networks, or what becomes of its URLs. Gives
`detecting.detect`; a new form is one new file here and one more name in `detecting`.
"""
