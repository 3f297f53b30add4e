"""Python's websockets on asyncio, with its C parts, and its own broadcast for a fan-out.

python3 python_websockets.py '{ "tls": { "cert": ..., "key": ... }, "deflate": "takeover" }'
"""
import asyncio
import json
import logging
import ssl
import sys

import websockets

options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
everybody = set()


async def echo(socket):
    async for data in socket:
        await socket.send(data)


async def echo_json(socket):
    async for data in socket:
        await socket.send(json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=False))


async def fan(socket):
    everybody.add(socket)
    try:
        async for data in socket:
            websockets.broadcast(everybody - {socket}, data)
    finally:
        everybody.remove(socket)


routes = {"/echo": echo, "/json": echo_json, "/fan": fan}


async def serve(socket, path=None):
    try:
        await routes[socket.path](socket)
    except websockets.ConnectionClosed:
        pass


def tls_context():
    if "tls" not in options:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["tls"]["cert"], options["tls"]["key"])
    return context


async def main():
    # Else there is a line for each write to a client that has gone, and those are measured, too.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    server = await websockets.serve(
        serve, "127.0.0.1", 0, ssl=tls_context(), backlog=4096, max_size=None,
        compression="deflate" if "deflate" in options else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()


asyncio.run(main())
