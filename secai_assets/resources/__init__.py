"""Configured doors, as the assets and the command line use them."""
