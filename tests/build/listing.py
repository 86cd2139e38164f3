#!/usr/bin/env python3
"""What an archive of one image (docker save) holds: its files, once all layers are put together, and
what its configuration says.  One line each, sorted; no times.  usage: listing.py ARCHIVE [BASE]: what
is the same in BASE is left out."""
import hashlib
import json
import sys
import tarfile

# what tools put there for a RUN, or what a root has anyway
SKIP = ("dev", "proc", "sys", "run", "etc/hosts", "etc/resolv.conf", "etc/hostname")


def kind(e):
    return "d" if e.isdir() else "l" if e.issym() else "p" if e.isfifo() else "f"


def apply(tree, layer):
    """One layer onto the tree: path -> (line, inode)."""
    gone, here = [], {}
    for e in layer:
        path = e.name.strip("/").removeprefix("./").strip("/")
        if not path or path == ".":
            continue
        head, _, base = path.rpartition("/")
        if base == ".wh..wh..opq":
            gone.append((head + "/", False))
            continue
        if base.startswith(".wh."):
            gone.append(((head + "/" if head else "") + base[4:], True))
            continue
        mode = 0o777 if e.issym() else e.mode & 0o7777
        what = f"{kind(e)} {mode:04o} {e.uid}:{e.gid}"
        if e.islnk():
            target = e.linkname.strip("/").removeprefix("./")
            here[path] = here[target] if target in here else tree[target]
            continue
        more = ""
        if e.isreg():
            more = hashlib.sha256(layer.extractfile(e).read()).hexdigest()[:16]
        elif e.issym():
            more = "-> " + e.linkname
        for key in sorted(e.pax_headers):
            if key.startswith("SCHILY.xattr."):
                value = e.pax_headers[key].encode("utf-8", "surrogateescape").hex()
                more += f" {key.removeprefix('SCHILY.xattr.')}={value}"
        here[path] = [what, more, object()]
    for path, itself in gone:
        for old in [p for p in tree if (itself and p == path) or p.startswith(path.rstrip("/") + "/")]:
            del tree[old]
    for path, entry in here.items():
        if path in tree and entry[0][0] != "d":
            for old in [p for p in tree if p.startswith(path + "/")]:
                del tree[old]
        tree[path] = entry


def read(archive):
    with tarfile.open(archive) as tar:
        m = json.load(tar.extractfile("manifest.json"))[0]
        config = json.load(tar.extractfile(m["Config"]))
        tree = {}
        for name in m["Layers"]:
            member = tar.getmember(name)
            while member.issym():
                member = tar.getmember(member.linkname.split("../")[-1])
            with tarfile.open(fileobj=tar.extractfile(member)) as layer:
                apply(tree, layer)
    return tree, config


def lines(tree, config):
    links = {}
    for path, entry in sorted(tree.items()):
        links.setdefault(id(entry[2]), []).append(path)
    for path, entry in sorted(tree.items()):
        if path.split("/")[0] in SKIP or path in SKIP:
            continue
        names = links[id(entry[2])]
        same = f" = {names[0]}" if len(names) > 1 and names[0] != path else ""
        yield f"{path!r} {entry[0]} {entry[1]}{same}".rstrip()
    c = config.get("config") or {}
    for key in ("Env", "Entrypoint", "Cmd", "User", "WorkingDir", "Labels", "ExposedPorts", "Volumes",
                "StopSignal", "OnBuild", "Shell"):
        v = c.get(key)
        if isinstance(v, dict):
            v = {k: x for k, x in v.items() if not k.startswith("io.buildah.")}
        if key == "Env" and v:
            v = sorted(v)
        if v:
            yield f"{key}: {json.dumps(v, sort_keys=True)}"


def main():
    out = list(lines(*read(sys.argv[1])))
    if len(sys.argv) > 2:
        tree, config = read(sys.argv[2])
        base = set(lines(tree, config))
        # the machine's own program, of whatever release
        out = [x.replace(tree["bin/busybox"][1], "(busybox)") for x in out if x not in base]
    print("\n".join(out))


main()
