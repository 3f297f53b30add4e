#!/usr/bin/python3
"""
Conversations with Python's websockets (Debian's python3-websockets), strict in its own way.
Debian 12 has version 10, Debian 13 one with another interface: a function below knows both.
"""
import asyncio
import itertools
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

PATIENCE_S = 30
MIB = 1024 * 1024
ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESETS = [ROOT / "build" / preset / "moonwire" for preset in ("asan", "debug", "release")]
BUILT = next((str(path) for path in PRESETS if path.exists()), "moonwire")
BINARY = os.environ.get("MOONWIRE", BUILT)

SCRIPTS = {
    "echo.lua": """
        local M = { protocols = { "v2", "v1" } }
        M.limits = { message = 17 * 1024 * 1024, queue = 64 * 1024 * 1024 }
        function M.on_message(conn, data, kind)
          conn:send(data, kind == "binary" and "binary" or nil)
        end
        return M""",
    "ends.lua": """
        local M = { route = "/ends/:tag", limits = { message = 1024 } }
        function M.on_open(conn)
          if conn.params.tag == "refused" then return false, 429, "slow down" end
          if conn.params.tag == "4001" then return false, 4001, "say who you are" end
        end
        function M.on_message(conn, data)
          local code, reason = data:match("^(%d+) ?(.*)$")
          conn:close(tonumber(code), reason)
        end
        function M.on_close(conn, code, reason, info)
          log.info("end", { tag = conn.params.tag, code = code, reason = reason,
                            cause = info.cause })
        end
        return M""",
    "pinging.lua": """
        return { on_message = function(conn) conn:ping() end, limits = { ping = 1 } }""",
}
CODES = [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999]


def extensions_of(peer):
    return peer.extensions if hasattr(peer, "extensions") else peer.protocol.extensions


def status_of(refusal):
    return refusal.status_code if hasattr(refusal, "status_code") else refusal.response.status_code


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.stop()


class Server:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="moonwire-test-")
        scripts = pathlib.Path(self.folder.name, "scripts")
        scripts.mkdir()
        for name, text in SCRIPTS.items():
            (scripts / name).write_text(text)
        command = [BINARY, "serve", self.folder.name, "--listen", "127.0.0.1:0",
                   "--script-string", str(17 * MIB)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.url = self.log(msg="listening")["url"].replace("http", "ws").rstrip("/")
        self.log(msg="ready")

    def log(self, **wanted):
        """The next line of the log with these fields; what comes before it is passed over."""
        for text in self.process.stderr:
            line = json.loads(text)
            self.lines.append(line)
            if all(line.get(key) == value for key, value in wanted.items()):
                return line
        raise AssertionError(f"the server is gone; no line with {wanted}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        stopped = self.log(msg="stopped")
        rest = self.process.stderr.read()
        code = self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        self.folder.cleanup()
        left = (code, rest, stopped["bytes_left"], stopped["handles_left"])
        assert left == (0, "", 0, 0), left


class Peer(unittest.IsolatedAsyncioTestCase):
    def connect(self, path, **options):
        options = {"max_size": None, "compression": None, **options}
        return websockets.connect(server.url + path, **options)

    async def soon(self, awaitable):
        return await asyncio.wait_for(awaitable, PATIENCE_S)

    async def log(self, **wanted):
        return await self.soon(asyncio.to_thread(server.log, **wanted))

    async def test_echo_of_text_and_binary(self):
        for size in (0, 1, 125, 126, 65535, 65536, MIB, 16 * MIB):
            rest = size % 3
            for payload in ("€" * (size // 3) + "x" * rest, b"\xff\0M" * (size // 3) + b"x" * rest):
                with self.subTest(size=size, kind=type(payload).__name__):
                    async with self.connect("/echo") as peer:
                        await peer.send(payload)
                        self.assertTrue(await self.soon(peer.recv()) == payload)

    async def test_fragments_are_one_message(self):
        async with self.connect("/echo") as peer:
            await peer.send(["in ", "", "three", " parts"])
            self.assertEqual(await self.soon(peer.recv()), "in three parts")
            await peer.send([b"\xff"] * 1000)
            self.assertEqual(await self.soon(peer.recv()), b"\xff" * 1000)

    async def test_compression_in_every_combination_of_parameters(self):
        talk = [json.dumps({"id": i, "text": f"line {i * 7919}"}) * (i % 40) for i in range(60)]
        combinations = itertools.product(
            (False, True), (False, True), (None, 9, 12, 15), (None, True, 9, 15))
        for server_alone, client_alone, server_bits, client_bits in combinations:
            factory = ClientPerMessageDeflateFactory(
                server_no_context_takeover=server_alone,
                client_no_context_takeover=client_alone,
                server_max_window_bits=server_bits,
                client_max_window_bits=client_bits)
            with self.subTest(offer=factory.get_request_params()):
                async with self.connect("/echo", extensions=[factory]) as peer:
                    self.assertEqual(len(extensions_of(peer)), 1)
                    for text in talk:
                        await peer.send(text)
                    for text in talk:
                        self.assertEqual(await self.soon(peer.recv()), text)
                    await peer.send([talk[39], "", talk[38]])
                    self.assertEqual(await self.soon(peer.recv()), talk[39] + talk[38])

    async def test_a_window_of_8_for_the_server_is_declined_and_all_goes_on(self):
        factory = ClientPerMessageDeflateFactory(server_max_window_bits=8)
        async with self.connect("/echo", extensions=[factory]) as peer:
            self.assertEqual(list(extensions_of(peer)), [])
            await peer.send("plain")
            self.assertEqual(await self.soon(peer.recv()), "plain")

    async def test_the_server_prefers_its_own_first_subprotocol(self):
        async with self.connect("/echo", subprotocols=["v1", "v2"]) as peer:
            self.assertEqual(peer.subprotocol, "v2")

    async def test_a_ping_is_answered_with_its_bytes(self):
        async with self.connect("/echo") as peer:
            await self.soon(await peer.ping(b"x" * 125))

    async def test_pings_of_the_server_are_answered_and_keep_the_connection(self):
        async with self.connect("/pinging", ping_interval=None) as peer:
            await peer.send("ping me")
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(peer.recv(), 2.5)  # the server pings twice meanwhile
            self.assertEqual(peer.state.name, "OPEN")

    async def test_close_codes_of_the_client_are_echoed(self):
        for code in CODES:
            with self.subTest(code=code):
                peer = await self.connect(f"/ends/client_{code}")
                await self.soon(peer.close(code, "bye"))
                self.assertEqual(peer.close_code, code)
                line = await self.log(msg="end", tag=f"client_{code}")
                told = (line["code"], line["reason"], line["cause"])
                self.assertEqual(told, (code, "bye", "peer_close"))

    async def test_close_codes_of_the_script_arrive(self):
        for code in CODES:
            with self.subTest(code=code):
                peer = await self.connect("/ends/script")
                await peer.send(f"{code} enough")
                await self.soon(peer.wait_closed())
                self.assertEqual((peer.close_code, peer.close_reason), (code, "enough"))

    async def test_a_reason_of_123_bytes_arrives_whole(self):
        peer = await self.connect("/ends/reason")
        await peer.send("4000 " + "r" * 123)
        await self.soon(peer.wait_closed())
        self.assertEqual(peer.close_reason, "r" * 123)

    async def test_too_big_is_1009(self):
        peer = await self.connect("/ends/big")
        await peer.send(b"x" * 1025)
        await self.soon(peer.wait_closed())
        self.assertEqual(peer.close_code, 1009)

    async def upload(self, peer, first):
        """Sends until the server has closed."""
        # The AttributeError is of websockets 15, which aborts a transport that is closed already.
        with self.assertRaises((websockets.ConnectionClosed, AttributeError)):
            await self.soon(peer.send(first))
            while True:
                await self.soon(peer.send(bytes(MIB)))

    async def test_a_close_in_the_middle_of_an_upload_is_read_20_of_20_times(self):
        for path, first, code in (("/ends/big", bytes(32 * MIB), 1009), ("/ends/up", "4001", 4001)):
            for run in range(20):
                with self.subTest(code=code, run=run):
                    peer = await self.connect(path)
                    await self.upload(peer, first)
                    await self.soon(peer.wait_closed())
                    self.assertEqual(peer.close_code, code)

    async def test_a_cut_is_1006(self):
        peer = await self.connect("/ends/cut")
        peer.transport.abort()
        line = await self.log(msg="end", tag="cut")
        self.assertEqual(line["code"], 1006)

    async def test_a_refusal_by_http(self):
        with self.assertRaises(websockets.InvalidHandshake) as refusal:
            await self.connect("/ends/refused")
        self.assertEqual(status_of(refusal.exception), 429)

    async def test_a_refusal_by_close_code(self):
        peer = await self.connect("/ends/4001")
        await self.soon(peer.wait_closed())
        self.assertEqual((peer.close_code, peer.close_reason), (4001, "say who you are"))


if __name__ == "__main__":
    unittest.main()
