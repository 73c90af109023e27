"""Tests of `scraper.fetching`."""
