"""Mutation testing of the pure modules: `make mutants`."""
