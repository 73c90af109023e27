"""Exports in the hands of those who read them; `make test-readers` installs these and runs this folder alone."""
