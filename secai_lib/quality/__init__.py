"""Beside every step a pure verdict: a number, a threshold, a sentence."""
