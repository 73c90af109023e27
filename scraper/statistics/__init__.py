"""What samples of URLs say of the lists that they came from: shares, and intervals that respect the classes.

Knows arithmetic, with randomness as an argument. Must not know the manifest, files, sockets, clocks or threads. Gives
`inverse` (one class, asked until it has n images), `clusters` (over classes), `surveys` (random samples of the lists),
`uploads` (years by photo number), `quantiles`.
"""
