"""What is remembered of problems, and how it is found again: by meaning, by words, by exact key."""

from secai_lib.rag.documents import Remembered, documents_of, query_of
from secai_lib.rag.knowledge_base import KnowledgeBase, self_recall

__all__ = ["KnowledgeBase", "Remembered", "documents_of", "query_of", "self_recall"]
