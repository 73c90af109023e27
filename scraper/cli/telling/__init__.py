"""What people see of a command, while it runs and when it has ended.

Knows the values that commands return. Must not know words, flags or what else a command does.
"""
