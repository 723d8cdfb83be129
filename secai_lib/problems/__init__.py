"""From findings of all scan runs to the problems of a repository."""

from secai_lib.problems.build import Corpus, build_problems

__all__ = ["Corpus", "build_problems"]
