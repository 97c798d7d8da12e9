#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# vectors.py FILE: the messages of test_messages.c as another library writes them must be those of
# FILE, line by line. vectors.py --write prints them. Ends with 77 where there is no msgpack module.
import struct
import sys

try:
    import msgpack
except ImportError:
    print("skipped: python3 has no msgpack: on Debian apt-get install python3-msgpack")
    sys.exit(77)

TRACE = bytes(range(16))
LARGEST = 2**64 - 1


def fnv(name):
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def message(kind, request_id, body, module="", method="", features=0):
    packed = msgpack.packb(body, use_bin_type=True) if body is not None else b""
    return struct.pack(">IBBHQQII", 0x4D4C4E4B, 1, kind, features, request_id,
                       fnv(module) if module else 0, fnv(method) if method else 0,
                       len(packed)) + packed


def report(body):
    return msgpack.packb(body, use_bin_type=True)


TEXT = ["text", [2, 1, 3], 1, 3, 0, 9]
VECTORS = {
    "request": message(0, 7, ["math", "add", b"\x01\x00\x00\x02", TRACE, 123456789012, 2, 4096,
                              77, 0, None], "math", "add"),
    "request_bare": message(0, 1, ["echo", "", b"", None, None, 1, LARGEST, 0, 1, TRACE],
                            "echo"),
    "request_memlinks": message(0, 7, ["math", "add", b"\x01\x00\x00\x02", TRACE, None],
                                "math", "add"),
    "request_later": message(0, 7, ["math", "add", b"", None, None, 0, 1, 2, 0, None, [3, {"x": 4}],
                                    "5"],
                             "math", "add"),
    "request_bytes": message(0, 3, ["m", "n", bytes(range(256)), None, 0, 3, 300, LARGEST, 0,
                                 None],                             "m", "n"),
    "response": message(1, 7, [b"\x03", 0, 0, 0, 0, 0, None]),
    "response_failed": message(1, 7, [b"", 3, -28, 7, -11, 70000, TRACE]),
    "response_memlinks": message(1, 7, [b"\xab" * 300, 6]),
    "error": message(2, 9, [10, "no module \u00e9", 250, -19]),
    "error_now": message(2, 9, [14, "", 0, 0]),
    "error_memlinks": message(2, 9, [12, "late", None]),
    "stream": message(3, 5, [TRACE, 2**33, None, 2, 1, 65536, 65537, 1, b"\xab\0"]),
    "stream_memlinks": message(3, 5, [TRACE, 7, 9, 0, 2, 4096]),
    "negotiate": message(4, 1, [[[1, 0, 0], [1, 3, 15]]]),
    "health": message(16, 2, ["math"]),
    "heartbeat": message(16, 0, None),
    "load": message(32, 4, ["./m.so", "m", b"\x00\xff", 1, 4, 5000000000]),
    "unload": message(33, 4, ["m", 0]),
    "stats": message(48, 4, ["", 3]),
    "event": message(96, 0, [3, "m", -2, LARGEST, "why"], features=8),
    "negotiation": report([[[1, 2, 3]]]),
    "health_report": report([2, -5, "not yet"]),
    "module": report([TEXT]),
    "stats_report": report([[TEXT, ["", [0, 0, 65535], 0, 0, 4, LARGEST]], "# HELP\n"]),
}

lines = [f"{name} {data.hex()}\n" for name, data in VECTORS.items()]
if sys.argv[1] == "--write":
    sys.stdout.writelines(lines)
    sys.exit(0)
with open(sys.argv[1], encoding="ascii") as file:
    found = file.readlines()[1:]
if found != lines:
    for ours, theirs in zip(found, lines):
        if ours != theirs:
            print(f"expected {theirs}found    {ours}")
    sys.exit(f"{len(found)} vectors, {len(lines)} expected")
print(f"{len(lines)} messages are as msgpack {msgpack.version} writes them")
