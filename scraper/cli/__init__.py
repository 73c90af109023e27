"""The command line: words to options, options to a call, and what people see of it.

Knows every package below, standard streams, signals and exit codes. Must not know SQL, HTTP or files of images: what a
command does stands in `planning`, `fetching`, `reporting` and `auditing`. Gives `main.main`.
"""
