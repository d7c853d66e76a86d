"""Strategies of the tests alone."""
