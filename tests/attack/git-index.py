#!/usr/bin/python3
"""git-index.py NAME OBJECT INDEX: add an entry of that name to an index of version 2, as no git would."""
import hashlib
import struct
import sys

name, obj, path = sys.argv[1].encode(), bytes.fromhex(sys.argv[2]), sys.argv[3]
old = open(path, "rb").read()
version, count = struct.unpack(">II", old[4:12])
assert old[:4] == b"DIRC" and version == 2, version
end, entries = 12, []
for _ in range(count):
    n = struct.unpack(">H", old[end + 60:end + 62])[0] & 0xfff
    size = (62 + n + 8) & ~7
    entries.append((old[end + 62:end + 62 + n], old[end:end + size]))
    end += size
entry = bytes(24) + struct.pack(">I", 0o100755) + bytes(12) + obj + struct.pack(">H", len(name)) + name
entry += bytes(((len(entry) + 8) & ~7) - len(entry))
entries.append((name, entry))
body = b"DIRC" + struct.pack(">II", 2, count + 1) + b"".join(e for _, e in sorted(entries))
body += old[end:-20]
open(path, "wb").write(body + hashlib.sha1(body).digest())
