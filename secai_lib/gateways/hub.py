"""Writes a repository on the Hugging Face Hub: one commit per release, one tag, read back after."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from secai_lib.core.errors import GateRefused, SecAIError, StorageError, Unreachable, UsageError
from secai_lib.gateways.hub_token import check_token
from secai_lib.gateways.models.hub_refusals import refusal

Kind = Literal["dataset", "model"]
OURS = frozenset({".gitattributes"})
"""Files the Hub itself puts into a repository."""


class Pushed(NamedTuple):
    """Where a release is on the Hub."""

    commit: str
    """The commit that holds it."""
    tag: str
    """`YYYY-MM-DD-DIGEST`; the date is that of the first push."""
    made: bool
    """False when it was there already and no commit was needed."""


class HubRepository:
    """One repository that releases are written to."""

    def __init__(self, endpoint: str, token: str | None, kind: Kind, name: str) -> None:
        """Use the repository `name` (`OWNER/NAME`) of the Hub at `endpoint`; asks nothing yet.

        Raises:
            UsageError: there is no `token`.
        """
        from huggingface_hub import HfApi
        from huggingface_hub.utils import logging
        from huggingface_hub.utils.tqdm import disable_progress_bars

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # its warnings show signed addresses
        disable_progress_bars()
        if not token:
            raise UsageError("a push needs a token: set HF_TOKEN to one that may write")
        self._api: HfApi = HfApi(endpoint=endpoint, token=token)
        self._kind: Kind = kind
        self._name = name

    def push(
        self, files: Mapping[str, bytes], digest: str, *, marker: str, private: bool
    ) -> Pushed:
        """Make the repository hold `files` (name -> bytes) and nothing else, in one commit.

        `digest` names the content. Where the file `marker` is the same, the others are read again
        and nothing is committed unless somebody changed one.
        A push that was cut off is made again: what was uploaded is not uploaded twice.

        Raises:
            UsageError: the token may not write there, or the Hub refuses the content.
            GateRefused: the repository is public and `private` is asked for.
            Unreachable: the Hub did not answer, or somebody else pushed at the same time.
            RateLimited: the Hub asks to wait.
        """
        with _explained(self._where):
            check_token(self._api.whoami(), self._kind, self._name)
            self._api.create_repo(self._name, repo_type=self._kind, private=private, exist_ok=True)
            info = self._api.repo_info(self._name, repo_type=self._kind)
            if private and not info.private:
                raise GateRefused(
                    f"{self._where} is public, and publication.private is on: make it private on "
                    "its page, or switch publication.private off"
                )
            head = str(info.sha)
            there = self._listing(head)
            hashes = {name: _sha256(data) for name, data in files.items()}
            made = (
                marker not in there
                or self._sha256(marker, head) != hashes[marker]
                or bool(self._differing(there, head, hashes))
            )
            if made:
                head = self._commit(files, there, head, digest)
            return Pushed(commit=head, tag=self._tag(head, digest), made=made)

    def differences(self, commit: str, files: Mapping[str, str]) -> list[str]:
        """Download `commit` again: every name of `files` (name -> SHA-256) that is not the same.

        A file that is there and not in `files` is one as well.

        Raises:
            Unreachable: the Hub did not answer or cut a download off.
            UsageError: the repository or commit is not to be had with this token.
        """
        with _explained(self._where):
            return self._differing(self._listing(commit), commit, files)

    def _differing(self, there: set[str], commit: str, files: Mapping[str, str]) -> list[str]:
        return sorted(there - set(files) - OURS) + [
            name
            for name, digest in sorted(files.items())
            if name not in there or self._sha256(name, commit) != digest
        ]

    @property
    def _where(self) -> str:
        return f"{self._kind} {self._name}"

    def _listing(self, revision: str) -> set[str]:
        names = self._api.list_repo_files(self._name, revision=revision, repo_type=self._kind)
        return set(names)

    def _commit(self, files: Mapping[str, bytes], there: set[str], head: str, digest: str) -> str:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        changes: list[Any] = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=data)
            for name, data in sorted(files.items())
        ]
        changes += [CommitOperationDelete(path) for path in sorted(there - set(files) - OURS)]
        done = self._api.create_commit(
            self._name,
            changes,
            commit_message=f"Release {digest}",
            repo_type=self._kind,
            parent_commit=head,  # somebody else's push in between is not overwritten
        )
        return str(done.oid)

    def _tag(self, commit: str, digest: str) -> str:
        """The release's tag, made unless it is there: the same content keeps its first date."""
        refs = self._api.list_repo_refs(self._name, repo_type=self._kind)
        known = [ref.name for ref in refs.tags if ref.name.endswith(f"-{digest}")]
        if known:
            return sorted(known)[0]
        tag = f"{datetime.now(UTC):%Y-%m-%d}-{digest}"
        self._api.create_tag(
            self._name, tag=tag, revision=commit, repo_type=self._kind, exist_ok=True
        )
        return tag

    def _sha256(self, name: str, revision: str) -> str:
        """The hash of what the Hub hands out, whatever it says about it."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils._headers import build_hf_headers

        url = hf_hub_url(self._name, name, repo_type=self._kind, revision=revision,
                         endpoint=self._api.endpoint)  # fmt: skip
        found = get_hf_file_metadata(url, token=self._api.token, endpoint=self._api.endpoint)
        # large files lie with another host, which has no business with the token
        ours = urlsplit(found.location).netloc == urlsplit(self._api.endpoint).netloc
        headers = build_hf_headers(token=self._api.token if ours else False)
        with tempfile.TemporaryFile() as handle:
            http_get(found.location, handle, headers=headers, expected_size=found.size)
            handle.seek(0)
            return hashlib.file_digest(handle, "sha256").hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn what the client raises into errors of ours, without their causes.

    The client's own errors hold signed addresses and would be logged with ours.
    """
    import httpx2  # what huggingface_hub speaks HTTP with
    from huggingface_hub import errors

    try:
        yield
        return
    except SecAIError as error:
        problem: SecAIError = error
    except errors.HfHubHTTPError as error:
        problem = _refusal(where, error.response)
    except (errors.HFValidationError, ValueError) as error:
        problem = UsageError(f"the Hub does not take {where}: {type(error).__name__}")
    except errors.OfflineModeIsEnabled:
        problem = UsageError("HF_HUB_OFFLINE forbids to push: unset it")
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError):
        problem = _cut_off(where)
    except RuntimeError as error:  # how an upload in one of its threads ends
        response = getattr(error.__cause__, "response", None)
        problem = _refusal(where, response) if response is not None else _cut_off(where)
    except OSError as error:
        if error.errno is None:  # the client's check of a size
            problem = _cut_off(where)
        else:
            problem = StorageError(f"the scratch disk refused: {error.strerror}; free some space")
    raise problem from None


def _cut_off(where: str) -> Unreachable:
    return Unreachable(
        f"the Hub did not answer, so {where} is not finished: check the network and run the "
        "command again, it goes on there"
    )


def _refusal(where: str, response: Any) -> SecAIError:
    status = response.status_code
    if status in (409, 412):
        return Unreachable(f"somebody else has just pushed to {where}: run the command again")
    if status == 429 or status >= 500:
        return refusal(where, response)
    if status in (401, 403, 404):
        return UsageError(
            f"the Hub refuses {where} (HTTP {status}): HF_TOKEN is wrong, or may not write there"
        )
    return UsageError(f"the Hub refuses {where} (HTTP {status})")
