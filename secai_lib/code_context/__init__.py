"""From a finding to the code it is about, read at the scanned commit."""

from secai_lib.code_context.contexts import contexts

__all__ = ["contexts"]
