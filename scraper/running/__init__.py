"""What every command that asks the net shares: threads, retries, and a row in `runs` however it ends.

Knows threads, the manifest's runs, and whether answers tell of what was asked for. Must not know what that is. Gives
`crew`, `queueing`, `retry`, `session`, `interception`, `learning`, `looks`.
"""
