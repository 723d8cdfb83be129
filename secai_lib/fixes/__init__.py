"""Fixes for problems, and the proof that they are fixes."""
