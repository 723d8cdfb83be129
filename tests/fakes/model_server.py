"""An OpenAI-compatible server that says what it is told to, on 127.0.0.1."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """One answer over HTTP."""

    body: object
    """Bytes as they are, or a value sent as JSON."""
    status: int = 200
    headers: Mapping[str, str] = {}
    kind: str = "application/json"
    delay: float = 0.0
    """Seconds before it comes."""


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


def completion(text: str, finish: str = "stop", **usage: int) -> Reply:
    """A well-made answer of a model."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text},
    }
    return Reply({"choices": [choice], "usage": usage})


class ModelServer:
    """Answers each chat with `reply` and lists `models`; a failed look when those are None."""

    def __init__(
        self, reply: Callable[[Asked], Reply], models: list[str] | None = None, host: str = ""
    ) -> None:
        self.asked: list[Asked] = []
        self._reply, self._models = reply, models
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._http = _Quiet(("127.0.0.1", 0), handler)
        self.url = f"http://{host or '127.0.0.1'}:{self._http.server_port}/v1"

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.path == "/v1/models":
            listed = [{"id": name, "object": "model"} for name in self._models or []]
            return Reply({"data": listed}) if self._models is not None else Reply({}, status=500)
        return self._reply(asked)

    @contextmanager
    def running(self) -> Iterator["ModelServer"]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """Clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server_of: ModelServer

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, body: Any) -> None:
        asked = Asked(self.command, self.path, dict(self.headers.items()), body)
        reply = self.server_of.reply(asked)
        time.sleep(reply.delay)
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        headers = {"Content-Type": reply.kind, "Content-Length": str(len(data)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass
