"""MD5 and SHA-1 -> SHA-256, or a statement that the hash protects nothing."""

import ast
import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.python_source import (
    PythonSource,
    in_calls,
    is_constant,
    keyword_of,
    read_python,
)
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "python-weak-hash"
TITLE = "Do not protect anything with MD5 or SHA-1"
EXPLANATION = (
    "Two different inputs with the same MD5 or SHA-1 hash can be made on purpose, so that a "
    "signature, a token or an integrity check based on it can be forged. SHA-256 has no known "
    "collisions.\n\n"
    "Watch for: **stored or exchanged hashes change** (64 hex digits instead of 32 or 40); "
    "compute them anew, or accept the old ones for a while when checking."
)
NOT_SECURITY = (
    "The hash names or compares things (a cache key, an entity tag, a check sum) and protects "
    "nothing, so its value stays as it is. `usedforsecurity=False` says so to Python, to "
    "readers and to scanners.\n\n"
    "Watch for: if somebody gains from two inputs with the same hash, use SHA-256 instead."
)
_WEAK = ("md5", "sha1")
_NAMING = re.compile(r"(?i)etag|checksum|check_sum|cache|dedup|bucket|shard|fingerprint")
_PROTECTING = re.compile(r"(?i)token|secret|sign|hmac|auth|session|credential|csrf|nonce|api_?key")
_PASSWORD = re.compile(r"(?i)passw|passphrase|\bpwd\b|\bpin\b")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposals: SHA-256, or the statement where the hash only names things.

    Raises `Abstain` for passwords, which need a slow hash.
    """
    source = read_python(place_of(finding, files))
    strong: list[Edit] = []
    stated: list[Edit] = []
    for call in source.calls():
        name = source.qualified(call.func)
        used = keyword_of(call, "usedforsecurity")
        if not name.startswith("hashlib.") or (used and is_constant(used.value, False)):
            continue
        around = source.function_text(call)
        if _PASSWORD.search(around):
            raise Abstain(
                "password_hash",
                "This hashes a password; any fast hash is wrong there. Use argon2 "
                "(argon2-cffi) or hashlib.scrypt with a salt and re-hash at the next login.",
            )
        naming = bool(_NAMING.search(around)) and not _PROTECTING.search(around)
        edit = _stronger(source, call, name)
        if edit is None:
            continue
        if naming and used is None:
            stated.append(source.add_keyword(call, "usedforsecurity=False"))
        else:
            strong.append(edit)
    if stated and not strong:
        title = "Say that the hash protects nothing"
        return (proposal(KIND, title, NOT_SECURITY, stated, "not_security"),)
    return (proposal(KIND, "Use SHA-256", EXPLANATION, [*strong, *stated], "sha256"),)


def _stronger(source: PythonSource, call: ast.Call, name: str) -> Edit | None:
    """The edit to SHA-256; None when the call uses no weak hash."""
    if name == "hashlib.new":
        chosen = call.args[0] if call.args else None
        weak = isinstance(chosen, ast.Constant) and str(chosen.value).lower() in _WEAK
        return source.replace(chosen, '"sha256"') if chosen is not None and weak else None
    if name.removeprefix("hashlib.") in _WEAK:
        return source.rename_attribute(call, "sha256")
    return None


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """SHA-256 as a broken hash, and the statement that a hash protects nothing forgotten."""
    name = source.qualified(call.func)
    used = keyword_of(call, "usedforsecurity")
    if name == "hashlib.sha256" and not _PASSWORD.search(source.function_text(call)):
        for weak in _WEAK:
            yield Weakening("bandit", "B324", (source.rename_attribute(call, weak),))
    elif name.removeprefix("hashlib.") in _WEAK and used is not None and call.args:
        yield Weakening("bandit", "B324", (source.remove_argument(call, used),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B324",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
