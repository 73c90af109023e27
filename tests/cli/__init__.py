"""Tests of `scraper.cli`."""
