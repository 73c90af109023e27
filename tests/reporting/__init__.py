"""Tests of `scraper.reporting`."""
