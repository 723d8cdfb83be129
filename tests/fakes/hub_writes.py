"""A Hugging Face Hub on 127.0.0.1 that repositories are written to: the write half of its protocol.

`whoami-v2`, `repos/create`, `validate-yaml`, `preupload`, the LFS batch with its storage, `commit`
(NDJSON, whole or not at all), `tag`, `refs`; and what is read back: `tree`, `resolve`.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.fakes.hub_server import _blob_id, _error
from tests.fakes.local_server import Fault, LocalServer, Reply, Seen

WRITER: Mapping[str, Any] = {
    "type": "user",
    "name": "octo",
    "orgs": [{"name": "acme"}],
    "auth": {"type": "access_token", "accessToken": {"displayName": "t", "role": "write"}},
}
SIGNATURE = "sig=s3cr3t-signature"
TOKEN = "hf_" + "notARealToken0123456789abcdefgh"


class WritableHub(LocalServer):
    """All repositories of one Hub, in memory: name -> commit -> files."""

    def __init__(
        self,
        *,
        account: Mapping[str, Any] = WRITER,
        token: str = TOKEN,
        lfs: Sequence[str] = (".safetensors",),
        public: bool = False,
        faults: Mapping[str, Sequence[Fault]] = {},
        cut_uploads: int = 0,
        flip: str = "",
        moves: int = 0,
    ) -> None:
        """Serve `account` to `token`.

        `faults`: part of a path -> first answers to it; `cut_uploads`: uploads the storage drops;
        `flip`: a file of which one byte is changed when it is read; `moves`: commits before which
        somebody else pushes.
        """
        super().__init__()
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.private: dict[str, bool] = {}
        self.blobs: dict[str, bytes] = {}
        self.uploads = 0
        self._account, self._token, self._lfs = account, token, tuple(lfs)
        self._public, self._cut, self._flip, self._moves = public, cut_uploads, flip, moves
        self._faults = {part: list(answers) for part, answers in faults.items()}

    def commits(self, repository: str) -> list[str]:
        return list(self.repositories[repository])

    def files(self, repository: str) -> dict[str, bytes]:
        return self.repositories[repository][self.commits(repository)[-1]]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer, reading = self, super()._handler()

        class Handler(reading):  # type: ignore[valid-type, misc]
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self._body(headers)
                reply = outer.receive(self.command, unquote(parts.path), headers, body)
                seen = Seen(parts.path, query, headers, reply.status, self.command)
                outer.seen.append(seen)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def do_PUT(self) -> None:
                self.do_POST()

            def _body(self, headers: Mapping[str, str]) -> bytes:
                if headers.get("transfer-encoding") != "chunked":
                    return bytes(self.rfile.read(int(headers.get("content-length", 0))))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        return Handler

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        path = unquote(path)
        if fault := self._fault(path):
            return fault
        if path.startswith("/storage/"):
            return Reply(200, {}, self._flipped(self.blobs[path.rpartition("/")[2]], "storage"))
        if headers.get("authorization") != f"Bearer {self._token}":
            return _error(401, "", "Invalid credentials")
        if path == "/api/whoami-v2":
            return _json(self._account)
        for name, commits in self.repositories.items():
            if path.startswith(f"/api/{name}"):
                return self._api(name, path.removeprefix(f"/api/{name}").strip("/"))
            at = "/" + name.removeprefix("models/") + "/resolve/"
            if path.startswith(at):
                revision, _, file = path.removeprefix(at).partition("/")
                return self._resolve(commits, revision, file)
        return _error(404, "RepoNotFound", "Repository not found")

    def receive(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a POST or PUT."""
        if fault := self._fault(path):
            return fault
        if method == "PUT":
            return self._stored(path.rpartition("/")[2], body)
        if headers.get("authorization") != f"Bearer {self._token}":
            return _error(401, "", "Invalid credentials")
        if path == "/api/repos/create":
            return self._created(json.loads(body))
        if path == "/api/validate-yaml":
            content = json.loads(body)["content"].split("---\n")
            head = yaml.safe_load(content[1]) if len(content) > 2 else None
            wrong = [] if isinstance(head, dict) else [{"message": "no metadata"}]
            return _json({"errors": wrong, "warnings": []}, 400 if wrong else 200)
        for name in self.repositories:
            if path.startswith(f"/api/{name}/preupload/"):
                return self._modes(json.loads(body))
            if path.startswith(f"/api/{name}/commit/"):
                return self._commit(name, [json.loads(line) for line in body.splitlines()])
            if path.startswith(f"/api/{name}/tag/"):
                return self._tag(name, path.rpartition("/")[2], json.loads(body)["tag"])
            if path == f"/{name.removeprefix('models/')}.git/info/lfs/objects/batch":
                return self._batch(json.loads(body))
        return _error(404, "RepoNotFound", "Repository not found")

    def _fault(self, path: str) -> Reply | None:
        for part, answers in self._faults.items():
            if part in path and answers:
                fault = answers.pop(0)
                return Reply(fault.status, fault.headers, fault.body)
        return None

    def _created(self, asked: Mapping[str, Any]) -> Reply:
        name = f"{asked['type']}s/{asked['organization']}/{asked['name']}"
        url = f"{self.url}/{name.removeprefix('models/')}"
        if name in self.repositories:
            return _json({"error": "You already created this repo", "url": url}, 409)
        self.repositories[name] = {_oid(name): {".gitattributes": b"*.safetensors filter=lfs\n"}}
        self.private[name] = asked.get("visibility") == "private" and not self._public
        self.tags[name] = {}
        return _json({"url": url, "name": name})

    def _modes(self, asked: Mapping[str, Any]) -> Reply:
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(self._lfs) else "regular",
                "shouldIgnore": False,
            }
            for file in asked["files"]
        ]
        return _json({"files": modes})

    def _batch(self, asked: Mapping[str, Any]) -> Reply:
        objects = []
        for item in asked["objects"]:
            upload = {"href": f"{self.url}/storage/{item['oid']}?{SIGNATURE}", "header": {}}
            new = {} if item["oid"] in self.blobs else {"actions": {"upload": upload}}
            objects.append({"oid": item["oid"], "size": item["size"], **new})
        return _json({"transfer": "basic", "objects": objects})

    def _stored(self, oid: str, body: bytes) -> Reply:
        if self._cut:
            self._cut -= 1
            return _error(403, "", f"the connection was cut, see {SIGNATURE}")
        if hashlib.sha256(body).hexdigest() != oid:
            return _error(400, "", "the hash is another")
        self.uploads += 1
        self.blobs[oid] = body
        return Reply(200, {}, b"")

    def _commit(self, name: str, lines: Sequence[Mapping[str, Any]]) -> Reply:
        commits = self.repositories[name]
        if self._moves:
            self._moves -= 1
            commits[_oid(name, len(commits), "other")] = {**self.files(name), "other.md": b"x"}
        head = self.commits(name)[-1]
        if lines[0]["value"].get("parentCommit", head) != head:
            return _error(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(commits[head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        oid = _oid(name, len(commits))
        commits[oid] = files
        return _json({"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid})

    def _tag(self, name: str, commit: str, tag: str) -> Reply:
        if tag in self.tags[name]:
            return _error(409, "", "Tag exists")
        self.tags[name][tag] = commit
        return _json({})

    def _api(self, name: str, what: str) -> Reply:
        head = self.commits(name)[-1]
        if not what:
            short = name.partition("/")[2]
            return _json({"id": short, "sha": head, "private": self.private[name], "tags": []})
        if what == "refs":
            tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit}
                    for tag, commit in self.tags[name].items()]  # fmt: skip
            return _json({"branches": [], "converts": [], "tags": tags})
        revision = what.removeprefix("tree/").partition("/")[0]
        files = self.repositories[name].get(head if revision == "main" else revision)
        if files is None:
            return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return _json([{"type": "file", "path": path, "size": len(data), "oid": _blob_id(data)}
                      for path, data in files.items()])  # fmt: skip

    def _resolve(
        self, commits: Mapping[str, Mapping[str, bytes]], revision: str, file: str
    ) -> Reply:
        data = commits.get(revision, {}).get(file)
        if data is None:
            return _error(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": revision}
        if not file.endswith(self._lfs):
            etag = {"ETag": f'"{_blob_id(data)}"'}
            return Reply(200, {**headers, **etag}, self._flipped(data, file))
        oid = hashlib.sha256(data).hexdigest()
        linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        elsewhere = self.url.replace("127.0.0.1", "localhost")  # another host than the Hub's
        location = f"{elsewhere}/storage/{oid}?{SIGNATURE}"
        return Reply(302, {**headers, **linked, "Location": location}, b"")

    def _flipped(self, data: bytes, name: str) -> bytes:
        return data[:-1] + bytes([data[-1] ^ 1]) if name == self._flip else data


def _oid(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
