"""Tests of `scraper.auditing`."""
