"""Tests of `scraper.running`."""
