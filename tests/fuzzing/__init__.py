"""Fuzzers that run the command, in processes of its own."""
