"""Tests of `scraper.pictures`."""
