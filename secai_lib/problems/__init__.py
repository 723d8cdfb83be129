"""From findings of all scan runs to the problems of a repository."""

from secai_lib.problems.build import build_problems

__all__ = ["build_problems"]
