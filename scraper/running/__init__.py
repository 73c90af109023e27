"""What every command that asks the net shares: threads, retries, and a row in `runs` however it ends.

Knows threads and the manifest's runs. Must not know what is asked for. Gives `crew`, `queueing`, `retry`, `session`.
"""
