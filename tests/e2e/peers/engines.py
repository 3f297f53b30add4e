"""
The conversation of ../conversation.mjs by one of the WebSocket clients that Python has:

    engines.py ENGINE ADDRESS [CERTIFICATES]

Each is a class below with the same few methods. `fragments` is None where a client has no way to
send any; `is_compressed` tells whether permessage-deflate was agreed on, of those that know it.
"""
import asyncio
import ssl
import sys
from urllib.parse import urlsplit

MIB = 1024 * 1024
PATIENCE_S = 30


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason}")
        self.code, self.reason = code, reason or ""


class Aiohttp:
    fragments = None

    async def connect(self, address, tls):
        import aiohttp
        self.kinds = aiohttp.WSMsgType
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(
            address, ssl=tls, compress=12, max_msg_size=0)
        self.is_compressed = bool(self.socket.compress)

    async def send(self, data):
        await (self.socket.send_str if isinstance(data, str) else self.socket.send_bytes)(data)

    async def receive(self):
        message = await self.socket.receive()
        if message.type in (self.kinds.TEXT, self.kinds.BINARY):
            return message.data
        # Over TLS asyncio ends both directions at once; the answer of aiohttp itself fails then, and
        # it calls that 1006 afterwards, whatever it has read.
        code = message.data if message.type == self.kinds.CLOSE else self.socket.close_code
        raise Closed(code, message.extra)

    async def close(self, code, reason):
        await self.socket.close(code=code, message=reason.encode())
        return self.socket.close_code

    async def leave(self):
        await self.session.close()


class Tornado:
    fragments = None

    async def connect(self, address, tls):
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect
        self.socket = await websocket_connect(
            HTTPRequest(address, ssl_options=tls), compression_options={})
        self.is_compressed = "Sec-Websocket-Extensions" in self.socket.headers

    async def send(self, data):
        await self.socket.write_message(data, binary=isinstance(data, bytes))

    async def receive(self):
        data = await self.socket.read_message()
        if data is None:
            raise Closed(self.socket.close_code, self.socket.close_reason)
        return data

    async def close(self, code, reason):
        self.socket.close(code, reason)
        while await self.socket.read_message() is not None:
            pass
        return self.socket.close_code

    async def leave(self):
        pass


class Websockets:
    async def connect(self, address, tls):
        import websockets
        self.gone = websockets.ConnectionClosed
        self.socket = await websockets.connect(address, ssl=tls, max_size=None)
        known = self.socket if hasattr(self.socket, "extensions") else self.socket.protocol
        self.is_compressed = bool(known.extensions)

    async def send(self, data):
        await self.socket.send(data)

    async def fragments(self, parts):
        await self.socket.send(parts)

    async def receive(self):
        try:
            return await self.socket.recv()
        except self.gone:
            raise Closed(self.socket.close_code, self.socket.close_reason) from None

    async def close(self, code, reason):
        await self.socket.close(code, reason)
        return self.socket.close_code

    async def leave(self):
        pass


class WebsocketClient:
    """Debian's python3-websocket: a blocking client without compression."""

    is_compressed = None

    async def connect(self, address, tls):
        import websocket
        self.abnf = websocket.ABNF
        self.socket = await asyncio.to_thread(
            websocket.create_connection, address, timeout=PATIENCE_S,
            sslopt={"context": tls} if tls else None)

    async def send(self, data):
        kind = self.abnf.OPCODE_TEXT if isinstance(data, str) else self.abnf.OPCODE_BINARY
        await asyncio.to_thread(self.socket.send, data, kind)

    async def fragments(self, parts):
        kinds = [self.abnf.OPCODE_TEXT] + [self.abnf.OPCODE_CONT] * (len(parts) - 1)
        for i, (part, kind) in enumerate(zip(parts, kinds)):
            frame = self.abnf.create_frame(part, kind, int(i == len(parts) - 1))
            await asyncio.to_thread(self.socket.send_frame, frame)

    async def receive(self):
        kind, data = await asyncio.to_thread(self.socket.recv_data)
        if kind == self.abnf.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"), data[2:].decode())
        return data.decode() if kind == self.abnf.OPCODE_TEXT else data

    async def close(self, code, reason):
        self.socket.send_close(code, reason.encode())
        try:
            await self.receive()
        except Closed as answer:
            return answer.code

    async def leave(self):
        self.socket.shutdown()


class Wsproto:
    """A protocol without input and output: the socket is ours."""

    async def connect(self, address, tls):
        from wsproto import ConnectionType, WSConnection, events
        from wsproto.extensions import PerMessageDeflate
        self.events = events
        where = urlsplit(address)
        self.reader, self.writer = await asyncio.open_connection(
            where.hostname, where.port, ssl=tls)
        self.machine = WSConnection(ConnectionType.CLIENT)
        await self.put(events.Request(
            host=where.netloc, target=where.path, extensions=[PerMessageDeflate()]))
        accepted = await self.event()
        assert isinstance(accepted, events.AcceptConnection), accepted
        self.is_compressed = bool(accepted.extensions)

    async def put(self, event):
        self.writer.write(self.machine.send(event))
        await self.writer.drain()

    async def event(self):
        while True:
            for event in self.machine.events():
                return event
            self.machine.receive_data(await self.reader.read(65536) or None)

    async def send(self, data):
        await self.put(self.events.Message(data=data))

    async def fragments(self, parts):
        for i, part in enumerate(parts):
            await self.put(self.events.Message(
                data=part, message_finished=i == len(parts) - 1))

    async def receive(self):
        parts = []
        while True:
            event = await self.event()
            if isinstance(event, self.events.CloseConnection):
                raise Closed(event.code, event.reason)
            parts.append(event.data)
            if event.message_finished:
                return type(event.data)().join(map(type(event.data), parts))

    async def close(self, code, reason):
        await self.put(self.events.CloseConnection(code=code, reason=reason))
        try:
            await self.receive()
        except Closed as answer:
            return answer.code

    async def leave(self):
        self.writer.close()


ENGINES = {"aiohttp": Aiohttp, "tornado": Tornado, "websocket": WebsocketClient,
           "websockets": Websockets, "wsproto": Wsproto}


async def echoes(peer):
    large = bytes(i * 31 % 256 for i in range(MIB))
    for data in ("Grüße €", "", "0123456789abcdef" * (MIB // 16), large):
        await peer.send(data)
        assert await peer.receive() == data, f"{len(data)} came back otherwise"
    if peer.fragments:
        await peer.fragments(["in ", "three ", "parts"])
        assert await peer.receive() == "in three parts"
    code = await peer.close(4002, "done")
    assert code == 4002, f"our close was answered with {code}"
    assert peer.is_compressed in (True, None), "compression was not agreed on"


async def is_closed(peer, data, code, reason):
    await peer.send(data)
    try:
        raise AssertionError(f"instead of {code} came {await peer.receive()!r}")
    except Closed as close:
        assert close.code == code, close
        assert reason is None or close.reason == reason, close


async def converse(engine, address, tls):
    for path, talk, *rest in (("/echo", echoes),
                              ("/ends", is_closed, "4001 enough", 4001, "enough"),
                              ("/ends", is_closed, bytes(2000), 1009, None)):
        peer = ENGINES[engine]()
        await peer.connect(address + path, tls)
        await talk(peer, *rest)
        await peer.leave()


def main(engine, address, certificates=None):
    tls = ssl.create_default_context(cafile=certificates) if certificates else None
    asyncio.run(asyncio.wait_for(converse(engine, address, tls), PATIENCE_S))


main(*sys.argv[1:])
