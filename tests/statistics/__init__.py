"""Tests of `scraper.statistics`."""
