"""From findings of all scan runs to the problems of a repository."""

from secai_lib.problems.build import Corpus, build_problems
from secai_lib.problems.policy import NAME as POLICY_FILE
from secai_lib.problems.policy import read_policy, with_acceptance
from secai_lib.problems.triage import triage

__all__ = ["POLICY_FILE", "Corpus", "build_problems", "read_policy", "triage", "with_acceptance"]
