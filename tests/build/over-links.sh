echo new >f
mkdir -p d/e tree/keep/deep links/a
echo d >d/e/g
echo x2 >tree/keep/x
echo t >tree/top
ln -s top tree/inner-link
ln -s f link-to-file
ln -s d link-to-dir
ln -s a links/to-a
ln -s /etc/passwd links/away
ln -s missing links/broken
echo a >links/a/file
ln links/a/file links/hard
python3 - <<'P'
import io, tarfile
with tarfile.open("over.tar", "w") as t:
    def put(name, type=tarfile.REGTYPE, data=b"tar\n", link="", mode=0o640):
        i = tarfile.TarInfo(name)
        i.type, i.size, i.mode, i.linkname, i.mtime = type, len(data), mode, link, 10 ** 9
        if type != tarfile.SYMTYPE:
            i.uid, i.gid = 20, 30
        t.addfile(i, io.BytesIO(data))
    put("keep", tarfile.DIRTYPE, b"", mode=0o750)
    put("keep/x")
    put("keep/y", tarfile.SYMTYPE, b"", "x")
    put("keep/z", tarfile.LNKTYPE, b"", "keep/x")
    put("f", data=b"replaced\n")
    put("new/deep/file")
P
