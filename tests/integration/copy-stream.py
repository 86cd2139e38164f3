# copy-stream.py - writes a stream of src/copy/copy.h by hand, for what no honest sender would send.
#
# usage: copy-stream.py RECORD...; each KIND[,mode=OCTAL][,name=TEXT][,data=TEXT][,bad=N][,magic=N]
# [,n_name=N][,n_data=N], or raw=HEX.  In TEXT "%2c" is a comma and "%00" a NUL.
import struct
import sys
from urllib.parse import unquote_to_bytes

KINDS = {"dir": 1, "file": 2, "data": 3, "close": 4, "link": 5, "skip": 6, "fail": 7, "end": 8}


def record(text):
    kind, *rest = text.split(",")
    if kind.startswith("raw="):
        return bytes.fromhex(kind[4:])
    f = dict(p.split("=", 1) for p in rest)
    name = unquote_to_bytes(f.get("name", ""))
    data = unquote_to_bytes(f.get("data", ""))
    n_name, n_data = int(f.get("n_name", len(name))), int(f.get("n_data", len(data)))
    head = struct.pack("=IIIIIIqII", int(f.get("magic", 0x62776E63)), KINDS.get(kind) or int(kind),
                       int(f.get("mode", "755" if kind == "dir" else "644"), 8), n_name, n_data, int(f.get("bad", 0)), 1, 0, 0)
    return head + name + data


for arg in sys.argv[1:]:
    sys.stdout.buffer.write(record(arg))
