"""Tests of `scraper.web`."""
