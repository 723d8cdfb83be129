"""Rows the small model learns from: labels from evidence, splits without leaks, files to load."""
