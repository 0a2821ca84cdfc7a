"""A real HTTP server on 127.0.0.1 whose answers a test scripts, faults included. It never sleeps."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import cast


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names are lower-case."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """One answer. `cut_after` and `stall_after` count bytes of the body that are sent before the fault."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    stall_after: int | None = None
    announced: int | None = None
    endless: bool = False
    chunked: bool = False


Script = Reply | Callable[[Asked], Reply]


class ScriptedServer:
    """Answers each path with the replies given to it, in order; the last one is repeated."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._scripts: dict[str, list[Script]] = {}
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.script = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def url(self, path: str) -> str:
        return self.address + path

    def script(self, path: str, *replies: Script) -> None:
        """What the path answers from now on."""
        with self._lock:
            self._scripts[path] = list(replies)

    def requests(self, path: str) -> list[Asked]:
        """What was asked of a path, in order."""
        with self._lock:
            return [asked for asked in self.asked if asked.path == path]

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            scripts = self._scripts.get(asked.path.partition("?")[0], [Reply(404, b"nothing here")])
            script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        return script if isinstance(script, Reply) else script(asked)

    def wait_for_the_end(self) -> None:
        """Hold a stalled answer until the server is closed."""
        self._released.wait()


def serve_file(
    body: bytes,
    *,
    etag: str | None = '"v1"',
    last_modified: str | None = None,
    ranges: bool = True,
    cuts: Sequence[int] = (),
    headers: dict[str, str] | None = None,
) -> Callable[[Asked], Reply]:
    """A file as a well-behaved server gives it: ETag, Last-Modified, 304, Range and If-Range.

    Args:
        cuts: bytes after which the successive answers are cut; later ones are whole.
    """
    left = list(cuts)
    common = dict(headers or {})
    if etag is not None:
        common["ETag"] = etag
    if last_modified is not None:
        common["Last-Modified"] = last_modified

    def reply(asked: Asked) -> Reply:
        known = asked.headers.get("if-none-match")
        since = asked.headers.get("if-modified-since")
        if (known is not None and known == etag) or (known is None and since is not None and since == last_modified):
            return Reply(304, headers=common)
        cut = left.pop(0) if left else None
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if ranges and wanted and asked.headers.get("if-range") in (None, etag, last_modified):
            start = int(wanted[1])
            if start >= len(body):
                return Reply(416, headers={"Content-Range": f"bytes */{len(body)}"})
            place = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            return Reply(206, body[start:], {**common, **place}, cut_after=cut)
        return Reply(200, body, common, cut_after=cut)

    return reply


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        script = cast("ScriptedServer", self.server.script)  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        reply = script.answer(Asked(self.path, headers, self.command, body))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as it should
            self._send(reply, script)

    do_POST = do_GET  # noqa: N815  the name of the base class

    def _send(self, reply: Reply, script: ScriptedServer) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not reply.endless and reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body) if reply.announced is None else reply.announced))
        self.end_headers()
        while reply.endless:
            self.wfile.write(bytes(65536))
        stop = reply.cut_after if reply.cut_after is not None else reply.stall_after
        body = reply.body if stop is None else reply.body[:stop]
        if reply.chunked:
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n" + (b"" if stop is not None else b"0\r\n\r\n")
        self.wfile.write(body)
        self.wfile.flush()
        if reply.stall_after is not None:
            script.wait_for_the_end()
        if stop is not None or reply.announced is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base class
        """Keep test output quiet."""
