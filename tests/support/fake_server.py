"""A server that misbehaves on purpose, for the tests of bad replies.

It answers what a client asks while connecting (HELLO, AUTH, INFO, COMMAND, PING ...) as a small
Redis would, and does with the commands of --on what its mode says, after --after good replies,
and --times times (0: for ever):

  ok           +OK                              error        -TEXT
  garbage      bytes that are no reply          badtype      a reply of an unknown type byte
  huge         $999999999999                    negative     $-7
  hugearray    *999999999999                    nesting      *1 *1 *1 ... without an end
  half         the first half of a reply, then silence
  close-half   the first half of a reply, then the end of the connection
  close        the end of the connection        silence      nothing
  extra        the reply, and one more that nobody asked for
  push         the reply, between two pushes that nobody asked for
  delay        +OK, --ms milliseconds late      wrongtype    a reply of another type (:7)
  flood        a bulk string that never ends
  dribble      a good reply, one byte at a time

Mode "denied" is protected mode: an error and the end, at the connection itself; "hangup" reads what
comes first and ends the connection.
"""
import argparse
import asyncio
import json
import sys

INFO = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nprocess_id:1\r\n"
NESTING = b"*1\r\n" * 4096


def bulk(text):
    data = text.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


def control(args):
    name = args[0].upper()
    if name == "HELLO":
        pairs = [b"server", b"redis", b"version", b"7.0.15"]
        words = b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in pairs)
        proto = args[1] if len(args) > 1 else "2"
        head = b"%3" if proto == "3" else b"*6"
        return head + b"\r\n" + words + b"$5\r\nproto\r\n:" + proto.encode() + b"\r\n"
    if name == "INFO":
        return bulk(INFO)
    if name == "PING":
        return b"+PONG\r\n"
    if name == "DBSIZE":
        return b":0\r\n"
    if name in ("COMMAND", "MODULE", "CONFIG"):
        return b"*0\r\n"
    if name in ("CLIENT", "SELECT", "AUTH", "READONLY"):
        return b"+OK\r\n"
    if name == "GET":
        return b"$-1\r\n"
    if name == "SET":
        return b"+OK\r\n"
    return b"-ERR unknown command '%s'\r\n" % name.encode()


async def read_command(reader):
    head = await reader.readline()
    if not head:
        return None
    if not head.startswith(b"*"):
        return head.decode("latin-1").split()
    args = []
    for _ in range(int(head[1:])):
        size = int((await reader.readline())[1:])
        args.append((await reader.readexactly(size + 2))[:-2].decode("latin-1"))
    return args


class Fake:
    def __init__(self, options):
        self.options = options
        self.on = {name.upper() for name in options.on.split(",")}
        self.good = options.after
        self.bad = options.times or float("inf")
        self.record = open(options.record, "a", buffering=1)

    async def serve(self, reader, writer):
        try:
            if self.options.mode == "denied":
                writer.write(b"-DENIED Redis is running in protected mode because protected mode "
                             b"is enabled and no password is set for the default user.\r\n")
                await writer.drain()
                return
            if self.options.mode == "hangup":
                await reader.read(1)
                return
            while True:
                args = await read_command(reader)
                if args is None:
                    return
                self.record.write(json.dumps(args) + "\n")
                if not await self.answer(args, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, args, writer):
        if "*" not in self.on and args[0].upper() not in self.on:
            writer.write(control(args))
            return True
        if self.good > 0:
            self.good -= 1
            writer.write(b"+OK\r\n")
            return True
        if self.bad <= 0:
            writer.write(b"+OK\r\n")
            return True
        self.bad -= 1
        return await getattr(self, "do_" + self.options.mode.replace("-", "_"))(writer)

    async def do_ok(self, writer):
        writer.write(b"+OK\r\n")
        return True

    async def do_error(self, writer):
        writer.write(b"-%s\r\n" % self.options.text.encode())
        return True

    async def do_wrongtype(self, writer):
        writer.write(b":7\r\n")
        return True

    async def do_garbage(self, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return True

    async def do_badtype(self, writer):
        writer.write(b"@what\r\n")
        return True

    async def do_huge(self, writer):
        writer.write(b"$999999999999\r\nx")
        return True

    async def do_hugearray(self, writer):
        writer.write(b"*999999999999\r\n")
        return True

    async def do_negative(self, writer):
        writer.write(b"$-7\r\n")
        return True

    async def do_nesting(self, writer):
        for _ in range(64):
            writer.write(NESTING)
            await writer.drain()
        return True

    async def do_half(self, writer):
        writer.write(b"$10\r\n12345")
        return True

    async def do_close_half(self, writer):
        writer.write(b"$10\r\n12345")
        await writer.drain()
        return False

    async def do_close(self, writer):
        return False

    async def do_silence(self, writer):
        return True

    async def do_extra(self, writer):
        writer.write(b"+OK\r\n+OK\r\n")
        return True

    async def do_push(self, writer):
        writer.write(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n+OK\r\n>1\r\n+news\r\n")
        return True

    async def do_delay(self, writer):
        await asyncio.sleep(self.options.ms / 1000)
        writer.write(b"+OK\r\n")
        return True

    async def do_flood(self, writer):
        writer.write(b"$900000000\r\n")
        for _ in range(900):
            writer.write(b"x" * 1000000)
            await writer.drain()
        return True

    async def do_dribble(self, writer):
        for byte in b"+OK\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
        return True


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("mode")
    parser.add_argument("--record", required=True)
    parser.add_argument("--on", default="SET,GET")
    parser.add_argument("--text", default="ERR broken")
    parser.add_argument("--ms", type=float, default=0)
    parser.add_argument("--after", type=int, default=0)
    parser.add_argument("--times", type=int, default=0)
    options = parser.parse_args()
    fake = Fake(options)
    if options.mode not in ("denied", "hangup"):
        getattr(fake, "do_" + options.mode.replace("-", "_"))
    server = await asyncio.start_server(fake.serve, "127.0.0.1", options.port, backlog=512)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(0)
