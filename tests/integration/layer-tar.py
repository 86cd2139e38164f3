"""layer-tar.py - tars that no ordinary tool makes.  Lines of standard input are entries, in order:

    KIND NAME [key=value]...    KIND: file dir sym hard chr blk fifo raw (the header's kind as kind=C)

NAME and values take Python's escapes (\\xff, \\n, \\x20).  Keys: text, size (of a file that is that
long), link, mode (octal), uid, gid, mtime, dev (MAJOR,MINOR), pax.NAME (a record of a pax header),
field.NAME (the bytes of a header's field, as they are), claim (the size that the header says).
The tar goes to standard output, with its end unless the first argument is --no-end.
"""
import codecs
import shlex
import sys

FIELDS = {"name": (0, 100), "mode": (100, 8), "uid": (108, 8), "gid": (116, 8), "size": (124, 12),
          "mtime": (136, 12), "chksum": (148, 8), "type": (156, 1), "linkname": (157, 100),
          "magic": (257, 8), "major": (329, 8), "minor": (337, 8), "prefix": (345, 155)}
KINDS = {"file": "0", "hard": "1", "sym": "2", "chr": "3", "blk": "4", "dir": "5", "fifo": "6"}


def raw(text):
    return codecs.decode(text.encode("utf-8", "surrogateescape"), "unicode_escape").encode("latin-1")


def header(fields):
    block = bytearray(512)
    for name, value in fields.items():
        at, size = FIELDS[name]
        block[at:at + min(size, len(value))] = value[:size]
    if "chksum" not in fields:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def octal(value, size):
    return b"%0*o" % (size - 1, value)


def extra(kind, data):
    return header({"name": b"extra", "mode": b"0000644", "size": octal(len(data), 12), "type": kind,
                   "magic": b"ustar\x0000", "mtime": octal(0, 12)}) + padded(data)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    n = len(body) + 1
    while len(str(n)) + len(body) != n:
        n = len(str(n)) + len(body)
    return str(n).encode() + body


def entry(kind, name, keys):
    name, data = raw(name), raw(keys.get("text", ""))
    if "size" in keys:
        data = (b"0123456789abcdef" * (int(keys["size"]) // 16 + 1))[:int(keys["size"])]
    out = b""
    pax = {raw(k[4:]): raw(v) for k, v in keys.items() if k.startswith("pax.")}
    if len(name) > 100:
        out += extra(b"L", name + b"\0")
    link = raw(keys.get("link", ""))
    if len(link) > 100:
        out += extra(b"K", link + b"\0")
    if pax:
        out += extra(b"x", b"".join(record(k, v) for k, v in pax.items()))
    major, minor = (keys.get("dev", "0,0")).split(",")
    fields = {
        "name": name, "linkname": link, "magic": b"ustar\x0000",
        "type": keys["kind"].encode() if kind == "raw" else KINDS[kind].encode(),
        "mode": octal(int(keys.get("mode", "755" if kind == "dir" else "644"), 8), 8),
        "uid": octal(int(keys.get("uid", 0)), 8), "gid": octal(int(keys.get("gid", 0)), 8),
        "size": octal(int(keys.get("claim", len(data))), 12),
        "mtime": octal(int(keys.get("mtime", 1000000000)), 12),
        "major": octal(int(major), 8), "minor": octal(int(minor), 8)}
    for key, value in keys.items():
        if key.startswith("field."):
            fields[key[6:]] = raw(value)
    return out + header(fields) + padded(data)


def main():
    out = sys.stdout.buffer
    for line in sys.stdin:
        words = shlex.split(line.replace("\\", "\\\\"), comments=True)
        if words:
            out.write(entry(words[0], words[1], dict(w.split("=", 1) for w in words[2:])))
    if "--no-end" not in sys.argv:
        out.write(bytes(1024))


main()
