# SPDX-License-Identifier: ISC
"""Python's socketserver as a peer: peers.py CLASS [GREETING REPLY]

The handler is the one of the module's documentation, the limits are raised.
Prints the port that it listens on.
"""

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


def main():
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


main()
