"""How good the models are: what is asked, what counts as right, baselines, intervals, the page."""
