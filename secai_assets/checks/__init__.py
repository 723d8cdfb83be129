"""One file a step, named as in `assets`; each wears the verdicts of `secai_lib.quality`."""
