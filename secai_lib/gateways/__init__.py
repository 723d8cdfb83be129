"""The doors: the only files that touch network, git, programs, the clock and the disk."""
