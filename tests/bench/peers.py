# SPDX-License-Identifier: ISC
"""Python's socketserver as a peer: peers.py CLASS [GREETING REPLY]; the class
"asyncio" is a protocol of that module.

The handler is the one of the module's documentation, the limits are raised.
Prints the port that it listens on.
"""

import asyncio
import socketserver
import sys

GREETING, REPLY = [word.encode() for word in sys.argv[2:4]] or (b"", b"")


class Talk(socketserver.BaseRequestHandler):
    def handle(self):
        if GREETING:
            self.request.sendall(GREETING)
        while data := self.request.recv(8192):
            self.request.sendall(REPLY or data)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        if GREETING:
            transport.write(GREETING)

    def data_received(self, data):
        self.transport.write(REPLY or data)


async def serve_asyncio():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Protocol, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def serve_class():
    base = getattr(socketserver, sys.argv[1])
    is_datagram = issubclass(base, socketserver.UDPServer)

    class Server(base):
        request_queue_size = 4096
        max_children = 4096
        daemon_threads = True

    handler = Datagram if is_datagram else Talk
    with Server(("127.0.0.1", 0), handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if sys.argv[1] == "asyncio":
    asyncio.run(serve_asyncio())
else:
    serve_class()
