"""Writing to the Hub: whole or not at all, once, told apart from what others do, read back."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from secai_lib.core.errors import GateRefused, RateLimited, SecAIError, Unreachable, UsageError
from secai_lib.gateways.hub import HubRepository, Pushed
from tests.fakes.hub_writes import SIGNATURE, TOKEN, WRITER, WritableHub
from tests.fakes.local_server import Fault

FILES = {
    "README.md": b"---\nlicense: mit\n---\n\n# A\n",
    "release.json": b'{"a":1}',
    "adapter_model.safetensors": bytes(range(256)) * 40,
}
DIGEST = "0123456789abcdef"
HASHES = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
NAME = "models/octo/fixer"


@pytest.fixture(autouse=True)
def without_xet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in speaks LFS; Xet's storage has a protocol of its own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    yield


def repository(hub: WritableHub, kind: Any = "model", name: str = "octo/fixer") -> HubRepository:
    return HubRepository(hub.url, TOKEN, kind, name)


def push(
    hub: WritableHub, files: Mapping[str, bytes] = FILES, digest: str = DIGEST, **more: Any
) -> Pushed:
    return repository(hub, **more).push(files, digest, marker="release.json", private=True)


def scoped(kind: str, name: str, *permissions: str) -> dict[str, Any]:
    scope = {"entity": {"type": kind, "name": name}, "permissions": list(permissions)}
    token = {"role": "fineGrained", "fineGrained": {"scoped": [scope]}}
    return {**WRITER, "auth": {"accessToken": token}}


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_release_is_one_commit_with_a_tag_and_reads_back(kind: str) -> None:
    with WritableHub() as hub:
        done = push(hub, kind=kind)
        name = f"{kind}s/octo/fixer"
        assert done.made and len(hub.commits(name)) == 2 and hub.private[name]
        assert {k: v for k, v in hub.files(name).items() if k in FILES} == FILES
        assert hub.tags[name] == {done.tag: done.commit} and done.tag.endswith(DIGEST)
        assert repository(hub, kind).differences(done.commit, HASHES) == []


def test_the_same_content_needs_no_commit_and_keeps_its_tag() -> None:
    with WritableHub() as hub:
        first, second = push(hub), push(hub)
        assert second == first._replace(made=False)
        assert len(hub.commits(NAME)) == 2 and len(hub.tags[NAME]) == 1


def test_what_is_no_longer_in_the_release_leaves_the_repository() -> None:
    with WritableHub() as hub:
        push(hub, {**FILES, "old.md": b"old"})
        done = push(hub, {**FILES, "release.json": b'{"a":2}'}, "fedcba9876543210")
        assert done.made and set(hub.files(NAME)) == {*FILES, ".gitattributes"}
        assert len(hub.commits(NAME)) == 3 and len(hub.tags[NAME]) == 2


@pytest.mark.parametrize(
    "change", [{"README.md": b"defaced"}, {"load.py": b"import os"}], ids=["changed", "added"]
)
def test_what_somebody_changed_beside_the_marker_is_put_right(change: dict[str, bytes]) -> None:
    with WritableHub() as hub:
        first = push(hub)
        hub.repositories[NAME]["e" * 40] = {**hub.files(NAME), **change}
        done = push(hub)
        assert done.made and done.tag == first.tag and len(hub.commits(NAME)) == 4
        assert set(hub.files(NAME)) == {*FILES, ".gitattributes"}
        assert repository(hub).differences(done.commit, HASHES) == []


@pytest.mark.parametrize(
    "account",
    [
        {**WRITER, "auth": {"accessToken": {"role": "read"}}},
        {**WRITER, "name": "someone", "orgs": []},
        scoped("dataset", "octo/fixer", "repo.write"),
        scoped("model", "octo/other", "repo.write"),
        scoped("model", "octo/fixer", "repo.content.read"),
    ],
)
def test_a_token_that_may_not_write_sends_nothing(account: dict[str, Any]) -> None:
    with WritableHub(account=account) as hub:
        with pytest.raises(UsageError, match="HF_TOKEN"):
            push(hub)
        assert {seen.method for seen in hub.seen} == {"GET"} and not hub.repositories


@pytest.mark.parametrize("scope", [("model", "octo/fixer"), ("user", "octo")])
def test_a_fine_grained_token_for_it_writes(scope: tuple[str, str]) -> None:
    with WritableHub(account=scoped(*scope, "repo.write")) as hub:
        assert push(hub).made


def test_an_upload_that_was_cut_off_goes_on_where_it_was() -> None:
    files = {**FILES, "mlx/adapters.safetensors": b"m" * 5000}
    with WritableHub(cut_uploads=1) as hub:
        with pytest.raises(SecAIError) as caught:
            push(hub, files)
        assert SIGNATURE not in str(caught.value) and TOKEN not in str(caught.value)
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
        assert len(hub.commits(NAME)) == 1, "nothing is committed"
        assert push(hub, files).made and hub.uploads == 2, "the other file was not sent again"


def test_a_tag_that_was_not_reached_is_made_by_the_next_call() -> None:
    with WritableHub(faults={"/tag/": [Fault(500)]}) as hub:
        with pytest.raises(Unreachable):
            push(hub)
        done = push(hub)
        assert not done.made and hub.tags[NAME] == {done.tag: done.commit}
        assert len(hub.commits(NAME)) == 2


def test_somebody_elses_push_is_not_overwritten() -> None:
    with WritableHub(moves=1) as hub:
        with pytest.raises(Unreachable, match="somebody else"):
            push(hub)
        assert "README.md" not in hub.files(NAME) and "other.md" in hub.files(NAME)
        assert push(hub).made


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, UsageError), (401, UsageError), (403, UsageError), (409, Unreachable),
     (429, RateLimited), (500, Unreachable)],
)  # fmt: skip
def test_refusals_of_a_commit_are_sentences(status: int, kind: type[SecAIError]) -> None:
    fault = Fault(status, {"Retry-After": "7"}, b'{"error": "no, see ' + TOKEN.encode() + b'"}')
    with WritableHub(faults={"/commit/": [fault] * 9}) as hub, pytest.raises(kind) as caught:
        push(hub)
    assert TOKEN not in str(caught.value) and type(caught.value) is kind
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("name", ["README.md", "storage"])
def test_a_flipped_byte_is_found_when_it_is_read_back(name: str) -> None:
    with WritableHub(flip=name) as hub:
        done = push(hub)
        odd = {"README.md": "README.md", "storage": "adapter_model.safetensors"}[name]
        assert repository(hub).differences(done.commit, HASHES) == [odd]


def test_the_token_is_shown_to_the_hub_alone() -> None:
    with WritableHub() as hub:
        done = push(hub)
        hub.seen.clear()
        assert repository(hub).differences(done.commit, HASHES) == []
        stored = [seen for seen in hub.seen if seen.path.startswith("/storage/")]
        assert stored and all("authorization" not in seen.headers for seen in stored)


def test_a_file_nobody_released_is_found() -> None:
    with WritableHub() as hub:
        done = push(hub)
        hub.repositories[NAME][done.commit]["stray.md"] = b"x"
        del hub.repositories[NAME][done.commit]["README.md"]
        assert repository(hub).differences(done.commit, HASHES) == ["stray.md", "README.md"]


def test_a_public_repository_gets_nothing_private() -> None:
    with WritableHub(public=True) as hub:
        with pytest.raises(GateRefused, match="is public"):
            push(hub)
        assert len(hub.commits(NAME)) == 1


def test_without_a_token_or_a_hub_it_is_said() -> None:
    with pytest.raises(UsageError, match="HF_TOKEN"):
        HubRepository("http://127.0.0.1:9", None, "model", "octo/fixer")
    gone = HubRepository("http://127.0.0.1:9", TOKEN, "model", "octo/fixer")
    with pytest.raises(Unreachable, match="run the command again"):
        gone.push(FILES, DIGEST, marker="release.json", private=True)
