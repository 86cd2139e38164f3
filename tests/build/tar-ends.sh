# the context of tar-ends
python3 - <<'P'
import io, tarfile
with tarfile.open("whole.tar", "w") as t:
    def put(name, type=tarfile.REGTYPE, data=b"", link="", **more):
        i = tarfile.TarInfo(name)
        i.type, i.size, i.linkname, i.mtime = type, len(data), link, 10 ** 9
        for k in more:
            setattr(i, k, more[k])
        t.addfile(i, io.BytesIO(data))
    put("d/dup", data=b"first")
    put("d/dup", data=b"second", mode=0o600, uid=7)
    put("d/sym", tarfile.SYMTYPE, link="dup", uid=8, gid=9)
    put("d/hard", tarfile.LNKTYPE, link="./d/dup", mode=0o600, uid=7)
    put("d", tarfile.DIRTYPE, mode=0o1777)
    put("d", tarfile.DIRTYPE, mode=0o700)
    put("d/old", data=b"o", mtime=-5)
whole = open("whole.tar", "rb").read()
none = whole.rstrip(b"\0")
none += b"\0" * (-len(none) % 512)
for name, end in ("none", b""), ("one", bytes(512)), ("behind", bytes(1024) + b"something"):
    open(name + ".tar", "wb").write(none + end)
P
