"""From findings of all scan runs to the problems of a repository."""

from secai_lib.problems.build import Corpus, build_problems
from secai_lib.problems.policy import FILE, read_policy, with_acceptance
from secai_lib.problems.triage import triage_branch, unused

__all__ = [
    "FILE",
    "Corpus",
    "build_problems",
    "read_policy",
    "triage_branch",
    "unused",
    "with_acceptance",
]
