echo f >f
mkdir -p d/sub
echo g >d/sub/g
python3 - <<'P'
import io, tarfile
with tarfile.open("tools.tar", "w", format=tarfile.PAX_FORMAT) as t:
    def put(name, mode, data=b"x\n", type=tarfile.REGTYPE, **attrs):
        i = tarfile.TarInfo(name)
        i.mode, i.type, i.size, i.mtime = mode, type, len(data), 1000000000
        i.pax_headers = {"SCHILY.xattr." + k.replace("__", "."): v.decode("utf-8", "surrogateescape") for k, v in attrs.items()}
        t.addfile(i, io.BytesIO(data))
    cap = bytes.fromhex("0100000200200000000000000000000000000000")
    put("tools", 0o755, b"", tarfile.DIRTYPE)
    put("tools/ping", 0o755, security__capability=cap)
    put("tools/tagged", 0o755, user__note=b"mine")
    put("tools/both", 0o4755, security__capability=cap, user__note=b"two")
P
