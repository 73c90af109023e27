"""Tests of `scraper.naming`."""
