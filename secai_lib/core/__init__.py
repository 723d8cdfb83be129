"""The words all rooms share. Imports nothing of ours."""
