"""Texts that can only be secrets, by their shape alone: the last net before anything is trained on.

What a scanner marks is taken out where it is read; this finds what none has marked.
"""

import math
import re
from collections import Counter

_KNOWN = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}"
    r"|\bglpat-[\w-]{20,}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bxox[abprs]-[\w-]{10,}|hooks\.slack\.com/services/T\w+/B\w+/\w+"
    r"|\bsk-(?:ant-|proj-)?[\w-]{20,}|\b[sr]k_live_[A-Za-z0-9]{16,}|\bAIza[\w-]{35}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"  # JWT
    r"|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----\s*[A-Za-z0-9+/]"
    r"|://[^\s:/@\[\]${}]+:(?![$\[{<])[^\s:/@]{3,}@"
)
"""Formats of well-known services, private keys and credentials in URLs."""
_CANDIDATE = re.compile(r"(?<![\w./+:@-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w./-])")
_DIGEST = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}|sha(?:256|384|512)-\S+")
_NAME = re.compile(r"(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|\d{1,4}|[A-Z]|[_/+-])+")
"""Words joined to a name or path; random text has few runs of small letters."""
MIN_ENTROPY = 4.0
"""Bits per character; names stay below, 24 random characters of base64 reach 4.2 on average."""


def secret_in(text: str) -> str:
    """The first stretch of `text` that looks like a secret; empty when none does."""
    if found := _KNOWN.search(text):
        return found[0]
    return next((m[0] for m in _CANDIDATE.finditer(text) if _is_random(m[0])), "")


def _is_random(word: str) -> bool:
    kinds = (any(map(test, word)) for test in (str.isdigit, str.isupper, str.islower))
    if not all(kinds) or _DIGEST.fullmatch(word) or _NAME.fullmatch(word):
        return False
    counts = Counter(word).values()
    entropy = -sum(n / len(word) * math.log2(n / len(word)) for n in counts)
    return entropy >= MIN_ENTROPY
