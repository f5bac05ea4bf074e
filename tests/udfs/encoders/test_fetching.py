from __future__ import annotations

import base64
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.encoders.fetching import read_image
from udfs.encoders.problems import REASONS, ImageProblem
from udfs.options.encoders import Images

DATA = b"\x89PNG any bytes"


def reason(image: str, options: Images) -> str:
    with pytest.raises(ImageProblem) as caught:
        read_image(image, options)
    return caught.value.reason


def test_data_urls() -> None:
    options = Images(max_bytes=100)
    coded = base64.b64encode(DATA).decode()
    assert read_image(f"data:image/png;base64,{coded}", options) == DATA
    assert read_image("data:,a%20b", options) == b"a b"
    assert reason("data:image/png;base64,***", options) == "unknown_form"
    assert reason("data:image/png", options) == "unknown_form"
    assert reason("data:," + "a" * 101, options) == "too_large"
    assert reason("data:;base64," + "A" * 1_000_000, options) == "too_large"


def test_files_below_the_folder_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.png").write_bytes(DATA)
    (tmp_path / "secret").write_bytes(b"no")
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    options = Images(folder=str(folder), max_bytes=len(DATA))
    assert read_image("sub/a.png", options) == DATA
    assert read_image(str(folder / "sub" / "a.png"), options) == DATA
    assert reason("sub/a.png", Images(folder=str(folder), max_bytes=3)) == "too_large"
    assert reason("sub/a.png", Images()) == "unknown_form"
    for path in ("../secret", "/etc/hostname", "link", str(tmp_path / "secret")):
        assert reason(path, options) == "not_allowed"
    for path in ("sub", "", "pipe", "missing", "a" * 5000, "a\0b"):
        assert reason(path, options) == "not_found"


@given(st.text())
def test_no_text_reads_anything_else(tmp_path_factory: pytest.TempPathFactory, image: str) -> None:
    options = Images(folder=str(tmp_path_factory.getbasetemp() / "nothing"))
    try:
        assert image.lower().startswith("data:") and read_image(image, options) is not None
    except (ImageProblem, AssertionError) as error:
        assert not isinstance(error, ImageProblem) or error.reason in REASONS


class Host(BaseHTTPRequestHandler):
    stop = threading.Event()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind in ("moved", "loop"):
            own = f"http://{self.headers['Host']}"
            self.send_response(302)
            to = f"{own}/loop" if kind == "loop" else f"http://{rest}" if rest else f"{own}/image"
            self.send_header("Location", to)
        elif kind == "absent":
            self.send_response(404)
        else:
            self.send_response(200)
        lengths = {"image": len(DATA), "short": len(DATA) + 9, "large": 10**9}
        if kind in lengths:
            self.send_header("Content-Length", str(lengths[kind]))
        self.end_headers()
        self.write(kind)

    def write(self, kind: str) -> None:
        if kind not in ("drip", "endless"):
            self.wfile.write(DATA)
            return
        with contextlib.suppress(OSError):  # until the other side has enough
            while not self.stop.wait(0.02 if kind == "drip" else 0):
                self.wfile.write(b"x" * (1 if kind == "drip" else 1000))


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        Host.stop.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def options(host: str) -> Images:
    return Images(hosts=[host], max_bytes=1_000, timeout_s=30.0)


def test_an_image_of_an_allowed_host(host: str, options: Images) -> None:
    assert read_image(f"http://{host}/image?w=100", options) == DATA
    assert read_image(f"http://{host}/plain", options) == DATA  # without a length
    assert read_image(f"http://{host}/moved", options) == DATA
    assert reason(f"http://{host}/image", Images(hosts=["127.0.0.1"])) == "not_allowed"  # the port
    assert reason(f"http://{host}/image", Images()) == "not_allowed"


def test_no_redirect_leads_elsewhere(host: str, options: Images) -> None:
    assert reason(f"http://{host}/moved/evil.example.com/a.png", options) == "not_allowed"
    assert reason(f"http://{host}/moved/localhost/a.png", options) == "not_allowed"
    assert reason(f"http://{host}/loop", options) == "not_found"


def test_a_name_of_this_machine_is_refused(host: str) -> None:
    port = host.rpartition(":")[2]
    named = Images(hosts=[f"localhost:{port}"])
    assert reason(f"http://localhost:{port}/image", named) == "not_allowed"


def test_limits_of_size_and_time(host: str, options: Images) -> None:
    assert reason(f"http://{host}/large", options) == "too_large"
    assert reason(f"http://{host}/endless", options) == "too_large"
    assert reason(f"http://{host}/short", options) == "unreachable"
    assert reason(f"http://{host}/absent", options) == "not_found"
    begin = time.monotonic()
    slow = Images(hosts=[host], timeout_s=0.2)
    assert reason(f"http://{host}/drip", slow) == "timeout"
    assert time.monotonic() - begin < 20  # and not for ever


def test_a_host_that_does_not_answer() -> None:
    assert reason("http://127.0.0.1:9/a", Images(hosts=["127.0.0.1:9"])) == "unreachable"


def test_a_host_that_speaks_no_tls(host: str) -> None:
    options = Images(hosts=[host], timeout_s=0.2)
    assert reason(f"https://{host}/image", options) in ("unreachable", "timeout")
