"""Bytes to a verdict: is it a whole picture, and what does a reply mean for the photo.

Knows the formats of pictures, their decoders and Flickr's placeholder. Must not know files, requests or the manifest.
Gives `judge` and `examining`.
"""
