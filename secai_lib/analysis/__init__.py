"""What a small local model reads in a problem, and the page that tells it."""

from secai_lib.analysis.narrative import narrative
from secai_lib.analysis.read import Answer, Question, questions_about, read_problems

__all__ = ["Answer", "Question", "narrative", "questions_about", "read_problems"]
