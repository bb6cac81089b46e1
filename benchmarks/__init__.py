"""Measurements: run as modules, see README.md."""
