"""A Hugging Face Hub that lives on 127.0.0.1: the part of its protocol that downloads speak.

Small files come from the Hub itself, large ones (LFS) by a redirect from a storage on another
port, with the headers the real one sends (`X-Repo-Commit`, `X-Linked-Etag`, `X-Linked-Size`).
All state goes into the constructors; what was asked is in `seen`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from tests.fakes.local_server import Fault, LocalServer, Reply

COMMIT = "c0ffee" + "1" * 34
SIGNATURE = "sig=s3cr3t-signature"


class HubStorage(LocalServer):
    """Where large files are: answers ranges; the first `cut` downloads stop half-way."""

    def __init__(self, blobs: Mapping[str, bytes], *, cut: int = 0, flip: bool = False) -> None:
        """Serve `blobs` by SHA-256; `flip` changes a byte of each on the way."""
        super().__init__()
        self._blobs, self._cut, self._flip = dict(blobs), cut, flip

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        body = self._blobs[path.rpartition("/")[2]]
        if self._flip:
            body = body[:-1] + bytes([body[-1] ^ 1])
        status, more = 200, {"Accept-Ranges": "bytes"}
        if asked := headers.get("range"):
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            more["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            status, body = 206, body[start:]
        if self._cut:
            self._cut -= 1
            return Reply(status, more, body[: len(body) // 2], announced=len(body))
        return Reply(status, more, body)


class HubServer(LocalServer):
    """The API and the files of one repository at one commit."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        repository: str = "octo/tiny",
        revisions: Mapping[str, str] = {"main": COMMIT},
        storage: str = "",
        lfs: Sequence[str] = (".safetensors", ".bin"),
        token: str = "",
        gated: bool = False,
        moved_from: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        """Serve `files`; those ending like one of `lfs` from the URL `storage`.

        With a `token`, others see nothing (404 for the private, 403 for the `gated`). The first
        answers are `faults`.
        """
        super().__init__()
        self._files, self._repository, self._revisions = dict(files), repository, dict(revisions)
        self._storage, self._lfs, self._token = storage, tuple(lfs), token
        self._gated, self._moved, self._faults = gated, moved_from, list(faults)

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        path = unquote(path)
        if self._faults:
            fault = self._faults.pop(0)
            return Reply(fault.status, fault.headers, fault.body)
        if self._moved and f"/{self._moved}/" in path + "/":
            there = path.replace(self._moved, self._repository)
            return Reply(307, {"Location": there}, b"")
        if self._token and headers.get("authorization") != f"Bearer {self._token}":
            return self._closed()
        api = f"/api/models/{self._repository}"
        if path == api or path.startswith(f"{api}/revision/"):
            return self._info(path.removeprefix(api).removeprefix("/revision/") or "main")
        if path.startswith(f"{api}/tree/"):
            return self._tree(path.removeprefix(f"{api}/tree/").rstrip("/"))
        if path.startswith(f"/{self._repository}/resolve/"):
            revision, _, name = path.removeprefix(f"/{self._repository}/resolve/").partition("/")
            return self._resolve(revision, name)
        return _error(404, "RepoNotFound", "Repository not found")

    def _closed(self) -> Reply:
        if self._gated:
            return _error(403, "GatedRepo", "Access to this model is restricted")
        return _error(401, "RepoNotFound", "Invalid username or password.")

    def _commit(self, revision: str) -> str | None:
        return revision if revision in self._revisions.values() else self._revisions.get(revision)

    def _info(self, revision: str) -> Reply:
        commit = self._commit(revision)
        if commit is None:
            return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        siblings = [{"rfilename": name} for name in self._files]
        body = {"id": self._repository, "modelId": self._repository, "sha": commit,
                "private": False, "gated": False, "tags": [], "siblings": siblings}  # fmt: skip
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _tree(self, revision: str) -> Reply:
        if self._commit(revision) is None:
            return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        entries = []
        for name, data in self._files.items():
            entry: dict[str, object] = {"type": "file", "path": name, "size": len(data)}
            if self._is_lfs(name):
                pointer = b"version https://git-lfs.github.com/spec/v1\n"
                oid = hashlib.sha256(data).hexdigest()
                entry["oid"] = _blob_id(pointer + oid.encode())
                entry["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 134}
            else:
                entry["oid"] = _blob_id(data)
            entries.append(entry)
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(entries).encode())

    def _resolve(self, revision: str, name: str) -> Reply:
        data, commit = self._files.get(name), self._commit(revision)
        if data is None or commit is None:
            return _error(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if not self._is_lfs(name):
            return Reply(200, {**headers, "ETag": f'"{_blob_id(data)}"'}, data)
        oid = hashlib.sha256(data).hexdigest()
        linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        location = f"{self._storage}/{oid}?{SIGNATURE}"
        return Reply(302, {**headers, **linked, "Location": location}, b"")

    def _is_lfs(self, name: str) -> bool:
        return name.endswith(self._lfs)


def blobs(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """`files` as a storage holds them: by SHA-256."""
    return {hashlib.sha256(data).hexdigest(): data for data in files.values()}


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _error(status: int, code: str, message: str) -> Reply:
    headers = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"}
    return Reply(status, headers, json.dumps({"error": message}).encode())
