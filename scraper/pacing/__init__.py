"""How hard and for how long: the pacer of a group of hosts, and the one deadline of a request.

Knows outcomes and times that it is given. Must not know requests, candidates or the manifest. Gives `pacer.Pacer`,
which has its rate from `pace`, its waits from `closure`, its requests at once from `crowd` and its signals from
`refusals`; `deadlines`; and `room` for what takes memory.
"""
