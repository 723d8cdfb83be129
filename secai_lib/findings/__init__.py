"""What the raw results of a run come to: fingerprints, distinct findings, categories."""

from secai_lib.findings.categories import category_of
from secai_lib.findings.distinct import distinct
from secai_lib.findings.fingerprints import fingerprints
from secai_lib.findings.intake import coverage, intake

__all__ = ["category_of", "coverage", "distinct", "fingerprints", "intake"]
