"""Fetches a model from the Hugging Face Hub: one commit, only what is needed, resumable."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from secai_lib.core.errors import ModelError, Unreachable
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.machine import require_disk
from secai_lib.gateways.models.delivery import (
    Delivery,
    Say,
    check_pin,
    has_pickles,
    needed,
    pickled,
    sha256_of,
    sha256_of_tree,
)
from secai_lib.gateways.models.hub_refusals import explained
from secai_lib.gateways.models.progress import Progress

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_COMMIT = re.compile(r"[0-9a-f]{40}")
HUB = "https://huggingface.co"


class _Place(NamedTuple):
    """One file on the Hub."""

    repository: str
    commit: str
    name: str


class _File(NamedTuple):
    """What the Hub says about a file; its hash is of the content (LFS) or of the git blob."""

    size: int
    blob: str
    sha256: str | None


def deliver(source: ModelSource, partial: Path, say: Say) -> Delivery:
    """The model of `source` (`hf://OWNER/NAME`) in `partial`, which a later call goes on filling.

    Endpoint and token are the user's (`HF_ENDPOINT`, `HF_TOKEN` or `hf auth login`).

    Raises:
        ModelError: no such repository or revision, gated, or only pickled weights.
        Unreachable: the Hub did not answer or was cut off; what has come is kept.
        StorageError: the disk has no room for it.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # its warnings show signed addresses
    repository = source.uri.removeprefix("hf://")
    # read now: huggingface_hub keeps what the environment said when it was imported
    endpoint = os.environ.get("HF_ENDPOINT") or HUB
    api = HfApi(endpoint=endpoint, token=os.environ.get("HF_TOKEN") or None)
    with explained(source.uri, source.revision):
        commit = api.model_info(repository, revision=source.revision or None).sha or ""
        if not _COMMIT.fullmatch(commit):
            raise ModelError(f"the Hub at HF_ENDPOINT names no commit for {source.uri}")
        files = _listing(api, repository, commit)
        total = sum(file.size for file in files.values())
        folder = partial / commit  # a newer commit does not go on with the bytes of an older one
        require_disk(folder, total - _arrived(folder), source.uri)
        progress = Progress(say, source.uri)
        before = 0
        for name, file in files.items():
            hub_file = _Place(repository, commit, name)
            _fetch(api, hub_file, file, folder, _Bar.telling(progress, before, total))
            before += file.size
            progress.update(before, total)
    digest = sha256_of_tree({name: folder / name for name in sorted(files)})
    check_pin(digest, source.sha256, source.uri)
    name = repository.partition("/")[2]
    return Delivery(folder=folder, name=name, uri=source.uri, revision=commit, sha256=digest)


def _listing(api: "HfApi", repository: str, commit: str) -> dict[str, _File]:
    """The files we need, small ones first, so that what is wrong with them shows early."""
    from huggingface_hub.hf_api import RepoFile

    tree: Mapping[str, Any] = {
        entry.path: entry
        for entry in api.list_repo_tree(repository, recursive=True, revision=commit)
        if isinstance(entry, RepoFile)
    }
    names = needed(tree)
    if not any(name.endswith(".safetensors") for name in names):
        if has_pickles(tree):
            raise pickled(f"hf://{repository}")
        raise ModelError(f"hf://{repository} has no safetensors: choose a repository that has")
    files = {
        name: _File(
            size=tree[name].size,
            blob=tree[name].blob_id,
            sha256=tree[name].lfs.sha256 if tree[name].lfs else None,
        )
        for name in names
    }
    return dict(sorted(files.items(), key=lambda item: (item[1].size, item[0])))


def _fetch(api: "HfApi", place: _Place, file: _File, folder: Path, bar: type["_Bar"]) -> None:
    """Bring one file into `folder`, from where an earlier call was cut off.

    The client's own `hf_hub_download` (2.4) begins every file anew in a process of its own.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    target = folder / place.name
    if target.is_file():
        return
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    url = hf_hub_url(place.repository, place.name, revision=place.commit, endpoint=api.endpoint)
    found = get_hf_file_metadata(url, token=api.token, endpoint=api.endpoint)
    # large files lie with another host, which has no business with the token
    ours = urlsplit(found.location).netloc == urlsplit(api.endpoint).netloc
    headers = build_hf_headers(token=api.token if ours else False)
    if part.is_file() and part.stat().st_size > file.size:
        part.unlink()  # no server can go on behind the end
    with part.open("ab") as handle:
        http_get(
            found.location,
            handle,
            resume_size=handle.tell(),
            headers=headers,
            expected_size=file.size,
            tqdm_class=bar,
        )
    _check(part, file, f"{place.name} of hf://{place.repository}")
    part.rename(target)


def _check(path: Path, file: _File, what: str) -> None:
    """The client compares sizes only; a byte that was changed on the way is found here."""
    if file.sha256:
        good = sha256_of(path) == file.sha256
    else:
        data = path.read_bytes()
        # git's own name for the content, so SHA-1 is not our choice
        blob = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
        blob.update(data)
        good = blob.hexdigest() == file.blob
    if not good:
        path.unlink()
        raise Unreachable(f"{what} came damaged and was thrown away: run the command again")


def _arrived(partial: Path) -> int:
    return sum(p.stat().st_size for p in partial.rglob("*") if p.is_file())


class _Bar:
    """Stands where the client wants a progress bar, and speaks to `progress`."""

    progress: Progress
    before: int
    total: int

    @classmethod
    def telling(cls, progress: Progress, before: int, total: int) -> type["_Bar"]:
        """A bar for the file that begins at byte `before` of `total`."""
        return type("_Bar", (cls,), {"progress": progress, "before": before, "total": total})

    def __init__(self, *_: object, initial: int = 0, **__: object) -> None:
        self.n = initial

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: float | None = 1) -> None:
        """`n` more bytes are here."""
        self.n += int(n or 0)
        self.progress.update(self.before + self.n, self.total)

    def close(self) -> None:
        """Nothing is held."""

    def set_postfix_str(self, *_: object, **__: object) -> None:
        """Rates are not told."""
