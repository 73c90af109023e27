"""Tests of `scraper.planning`."""
