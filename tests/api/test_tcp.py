"""The API on a TCP port: how it listens, and whom it hangs up on."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cronpilot.api import patience, streams
from cronpilot.api.auth import session_cookie
from cronpilot.api.patience import bind_tcp
from cronpilot.client.fake import FakeClient, make_task
from cronpilot.client.http import HttpClient
from cronpilot.config.settings import ApiSettings
from cronpilot.domain.access import Identity, Role
from cronpilot.errors import CronPilotError, NoEngine, TooManyRequests

from ..client.serving_tcp import Served, served_on_tcp
from ..patience import PATIENCE_S
from .guarding import PASSWORD, FakeAccounts, basic


@pytest.fixture
def engine() -> FakeClient:
    return FakeClient([make_task(1), make_task(2, "report")])


@pytest.fixture
async def served(engine: FakeClient) -> AsyncIterator[Served]:
    async with served_on_tcp(engine) as running:
        yield running


async def raw(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side hangs up."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_answers_are_not_held_back(served: Served) -> None:
    """asyncio switches Nagle's delay off only for sockets that name their protocol."""
    listening = bind_tcp("127.0.0.1", 0)
    assert listening.proto == socket.IPPROTO_TCP
    listening.close()

    async with httpx.AsyncClient(
        base_url=served.address, headers=basic("vera"), timeout=PATIENCE_S
    ) as http:
        assert (await http.get("/api/status")).status_code == 200


async def test_a_taken_port_is_told_and_tried_again(engine: FakeClient) -> None:
    other = bind_tcp("127.0.0.1", 0)
    port = other.getsockname()[1]

    async with served_on_tcp(engine, port=port) as served:
        banner = await served.told.until_banner()
        assert banner.text == f"The API cannot listen on 127.0.0.1:{port}: Address already in use."
        other.close()
        assert await served.told.until(answers=True) == f"http://127.0.0.1:{port}"
        assert served.told.banners == {}


async def test_another_port_is_taken_at_once_and_off_is_off(served: Served) -> None:
    before = served.address
    spare = bind_tcp("127.0.0.1", 0)
    port = spare.getsockname()[1]
    spare.close()

    served.front.configure(ApiSettings(port=port))
    async with asyncio.timeout(PATIENCE_S):
        while served.told.address != f"http://127.0.0.1:{port}":
            await asyncio.sleep(0.01)
    served.front.configure(ApiSettings(port=port, enabled=False))
    await served.told.until(answers=False)

    for address in (before, f"http://127.0.0.1:{port}"):
        client = HttpClient.at(address, password=PASSWORD)
        with pytest.raises(NoEngine):
            await client.status()
        await client.close()


@pytest.mark.parametrize(
    ("enabled", "wanted", "answers"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
    ids=["headless", "beside a screen", "enabled", "disabled"],
)
async def test_it_is_on_where_it_is_wanted(
    engine: FakeClient, enabled: bool | None, wanted: bool, answers: bool
) -> None:
    async with served_on_tcp(engine, wanted=wanted, enabled=enabled) as served:
        assert (served.told.address is not None) is answers
        assert served.told.banners == {}


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="says nothing"),
        pytest.param(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n", id="never ends its head"),
    ],
)
async def test_who_is_slow_with_a_request_is_hung_up_on(
    served: Served, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 0.3)
    reader, writer = await raw(served.port)

    writer.write(head)

    assert await rest_of(reader) == b""
    writer.close()


async def test_who_is_slow_with_a_body_is_hung_up_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BODY_S", 0.3)
    reader, writer = await raw(served.port)
    auth = basic("admin")["Authorization"]

    writer.write(
        f"POST /api/tasks/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {auth}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
    )

    assert await rest_of(reader) == b""
    writer.close()


@pytest.mark.parametrize("how", ["said", "chunked"])
async def test_an_oversized_body_is_refused(served: Served, how: str) -> None:
    reader, writer = await raw(served.port)
    auth = basic("admin")["Authorization"]
    head = f"POST /api/tasks/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: {auth}\r\n"
    head += "Content-Type: application/json\r\n"

    async def send() -> None:
        if how == "said":
            writer.write(f"{head}Content-Length: 99999999999\r\n\r\n".encode())
            return
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(64):
            writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            await writer.drain()

    sending = asyncio.create_task(send())
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readuntil(b"}")
    await sending

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"The body is larger than 1048576 bytes." in body
    writer.close()


async def test_who_sends_on_after_a_refusal_is_hung_up_on(served: Served) -> None:
    _, writer = await raw(served.port)
    writer.write(
        b"POST /api/tasks/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
    )

    with pytest.raises(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                writer.write(b"x" * 0x10000)
                await writer.drain()
                await asyncio.sleep(0)

    writer.close()


async def test_more_connections_than_may_be_are_not_kept(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_CONNECTIONS", 3)
    kept = [await raw(served.port) for _ in range(3)]
    for reader, writer in kept:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    reader, writer = await raw(served.port)
    assert await rest_of(reader) == b""

    for _, open_writer in [*kept, (reader, writer)]:
        open_writer.close()


async def test_our_own_client_waits_when_it_asked_too_often(engine: FakeClient) -> None:
    async with served_on_tcp(engine, rate_limit=2) as served:
        client = HttpClient.at(served.address, user="olga", password=PASSWORD)
        for _ in range(12):
            assert (await client.status()).total_tasks == 2
        await client.close()


async def test_two_hundred_listeners_hear_every_event(engine: FakeClient) -> None:
    async with (
        served_on_tcp(engine) as served,
        httpx.AsyncClient(
            base_url=served.address, headers=basic("vera"), timeout=PATIENCE_S,
            limits=httpx.Limits(max_connections=None),
        ) as http,
    ):  # fmt: skip
        ready = asyncio.Semaphore(0)

        async def listen() -> str:
            async with http.stream("GET", "/api/events") as answer:
                assert answer.status_code == 200
                async for line in answer.aiter_lines():
                    if line.startswith(":"):
                        ready.release()
                    if line.startswith("event: task_changed"):
                        return line
            return "ended"

        listeners = [asyncio.create_task(listen()) for _ in range(200)]
        async with asyncio.timeout(2 * PATIENCE_S):
            for _ in listeners:
                await ready.acquire()
            engine.put_task(make_task(1, "backup-db", priority=5))
            heard = await asyncio.gather(*listeners)

    assert heard == ["event: task_changed"] * 200


@pytest.mark.parametrize("what", ["password", "role"])
async def test_a_stream_ends_when_its_reader_may_not_see_the_same_any_more(
    engine: FakeClient, what: str
) -> None:
    accounts = FakeAccounts()
    async with (
        served_on_tcp(engine, accounts) as served,
        httpx.AsyncClient(base_url=served.address, headers=basic("olga"), timeout=PATIENCE_S) as h,
        h.stream("GET", "/api/events") as answer,
    ):
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith(":")
        if what == "password":
            accounts.set_password("olga", "another one")
        else:
            accounts.set_role("olga", Role.VIEWER)

        assert [line async for line in lines if line] == []


async def test_a_stream_ends_with_the_session_that_opened_it(engine: FakeClient) -> None:
    async with (
        served_on_tcp(engine, FakeAccounts()) as served,
        httpx.AsyncClient(base_url=served.address, timeout=PATIENCE_S) as http,
    ):
        token = served.gate.open_session(Identity("olga", Role.OPERATOR))
        cookie = {"Cookie": session_cookie(token, secure=False).partition(";")[0]}
        async with http.stream("GET", "/api/events", headers=cookie) as answer:
            lines = answer.aiter_lines()
            assert (await anext(lines)).startswith(":")
            served.gate.end_session(token)

            async with asyncio.timeout(PATIENCE_S):
                assert [line async for line in lines if line] == []
        assert (await http.get("/api/status", headers=cookie)).status_code == 401


async def test_more_streams_than_may_be_are_refused_and_nobody_takes_those_of_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST", 2)
    monkeypatch.setattr(streams, "MOST_OF_ONE", 1)
    async with (
        httpx.AsyncClient(base_url=served.address, timeout=PATIENCE_S) as http,
        http.stream("GET", "/api/events", headers=basic("vera")) as first,
    ):
        lines = first.aiter_lines()  # held: it would end the stream with itself
        assert (await anext(lines)).startswith(":")
        assert (await http.get("/api/events", headers=basic("vera"))).status_code == 429
        assert (await http.get("/api/status", headers=basic("vera"))).status_code == 200
        async with http.stream("GET", "/api/events", headers=basic("olga")) as second:
            more = second.aiter_lines()
            assert (await anext(more)).startswith(":")
            refused = await http.get("/api/runs/1/log?follow=1", headers=basic("admin"))
            assert refused.status_code == 429


def test_the_owner_of_the_socket_is_never_refused_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST", 1)
    open_ones = streams.Streams()
    with open_ones.one_more("vera"), open_ones.one_more(""):
        open_ones.refuse_more("")
        with pytest.raises(TooManyRequests):
            open_ones.refuse_more("olga")
    open_ones.refuse_more("olga")


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    make_certificate(cert, key)
    return cert, key


def make_certificate(cert: Path, key: Path, name: str = "localhost") -> None:
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("there is no openssl here")


async def test_tls_is_spoken_and_strange_certificates_are_said_in_words(
    engine: FakeClient, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    async with served_on_tcp(engine, tls_cert=cert, tls_key=key) as served:
        assert served.address.startswith("https://")

        def client(host: str, scheme: str = "https", ca: Path | None = cert) -> HttpClient:
            url = f"{scheme}://{host}:{served.port}"
            return HttpClient.at(url, password=PASSWORD, ca_file=ca)

        trusting = client("localhost")
        assert (await trusting.status()).total_tasks == 2
        await trusting.close()

        for wrong, said in [
            (
                client("localhost", ca=None),
                "The certificate of localhost is not trusted: self-sign",
            ),
            (client("127.0.0.1"), "The certificate of 127.0.0.1 is not trusted: IP address mism"),
            (client("localhost", ca=key), "cannot be used as --ca-file"),
            (client("localhost", scheme="http"), "No engine answers at http://localhost"),
        ]:
            with pytest.raises(CronPilotError, match=said):
                await wrong.status()
            await wrong.close()


async def test_a_port_without_tls_is_said_in_words(served: Served) -> None:
    client = HttpClient.at(f"https://localhost:{served.port}", password=PASSWORD)

    with pytest.raises(CronPilotError, match="does not speak TLS as it should"):
        await client.status()

    await client.close()


async def test_a_certificate_is_read_again_without_a_restart(
    engine: FakeClient, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    async with served_on_tcp(engine, tls_cert=cert, tls_key=key) as served:
        assert "cert.pem cannot be used: No such file" in (await served.told.until_banner()).text
        make_certificate(cert, key, "first.example")
        await served.told.until(answers=True)
        assert served.told.banners == {}
        first = await asyncio.to_thread(_certificate_at, served.port)

        make_certificate(cert, key, "second.example")
        served.front.configure(served.front._settings)

        assert await asyncio.to_thread(_certificate_at, served.port) != first


def _certificate_at(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE_S)
