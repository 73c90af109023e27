"""Tests of `scraper.manifest`."""
