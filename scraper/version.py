"""The version, alone in a module so that the build and `--version` read it without importing the rest."""

__version__ = "0.1.0"

PROJECT_URL = "https://example.org/scraper"
"""Where hosts that are asked can learn who asks; whoever publishes a copy sets it to a page of theirs."""
