"""Tests of `scraper.exporting`."""
