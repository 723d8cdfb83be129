"""Whether a token of the Hub may write a repository, asked before anything is sent."""

from collections.abc import Mapping
from typing import Any

from secai_lib.core.errors import UsageError

WRITE = "repo.write"
"""The permission of a fine-grained token that commits need."""


def check_token(account: Mapping[str, Any], kind: str, repository: str) -> None:
    """Return when the token of `account` (what `whoami` says) may write `repository`.

    A classic token writes to all its user's and organisations' repositories or to none; a
    fine-grained one names repositories of one kind, users or organisations.

    Raises:
        UsageError: it may not, saying which token is needed.
    """
    owner = repository.partition("/")[0]
    name = str(account.get("name", ""))
    owners = {name, *(str(org.get("name", "")) for org in account.get("orgs") or ())}
    if owner.lower() not in {own.lower() for own in owners}:
        raise UsageError(
            f"HF_TOKEN belongs to {ascii(name)[1:-1]}, who is not in {owner}: take a token of "
            f"{owner}, or name another repository in config/publication.yaml"
        )
    token = (account.get("auth") or {}).get("accessToken") or {}
    role = token.get("role")
    if role == "write":
        return
    scopes = (token.get("fineGrained") or {}).get("scoped") or ()
    if role == "fineGrained" and any(_covers(scope, kind, repository) for scope in scopes):
        return
    raise UsageError(
        f"HF_TOKEN may not write the {kind} {repository}: make a token with write access to that "
        f"{kind} (or to all of {owner}) at the Hub's page of tokens"
    )


def _covers(scope: Mapping[str, Any], kind: str, repository: str) -> bool:
    if WRITE not in (scope.get("permissions") or ()):
        return False
    entity = scope.get("entity") or {}
    named = str(entity.get("name", "")).lower()
    if entity.get("type") in ("user", "org"):
        return named == repository.partition("/")[0].lower()
    return bool(entity.get("type") == kind and named == repository.lower())
