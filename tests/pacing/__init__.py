"""Tests of `scraper.pacing`."""
