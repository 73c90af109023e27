"""How hard and for how long: the brake of a group of hosts, and the one deadline of a request.

Knows outcomes and times that it is given. Must not know requests, candidates or the manifest. Gives `brake` and
`deadlines`.
"""
