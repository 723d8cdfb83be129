"""From a finding to the code it is about, read at the scanned commit."""

from secai_lib.code_context.contexts import contexts
from secai_lib.code_context.secrets import Secrets

__all__ = ["Secrets", "contexts"]
