#!/usr/bin/python3
"""images.py - archives of images for tests, made of nothing but Python's own library.

usage: images.py KIND OUT [TAG...]

KIND is a function of this file whose name begins with "make_"; good ones first, then those that a
stranger might write.  The content is the same each time, and small.
"""
import gzip
import hashlib
import io
import json
import sys
import tarfile

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[__import__("os").uname().machine]
OTHER = "arm64" if ARCH == "amd64" else "amd64"
OCI = "application/vnd.oci.image."


def digest(data):
    return hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def entry(name, data=b"", **kw):
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    info.mtime = 1700000000
    for key, value in kw.items():
        setattr(info, key, value)
    info.size = len(data) if info.type == tarfile.REGTYPE else 0
    return info, data


def tar(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def folder(name, **kw):
    return entry(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **kw})


PASSWD = b"root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/sh\n"


def base(more=()):
    """Two layers: one with all that a layer may hold, one that takes some of it away."""
    lower = tar([
        folder("etc"), entry("etc/passwd", PASSWD), folder("usr"), folder("usr/bin"),
        entry("usr/bin/tool", b"#!/bin/sh\necho tool\n", mode=0o755),
        entry("usr/bin/su", b"su\n", mode=0o4755),
        entry("usr/bin/again", type=tarfile.LNKTYPE, linkname="usr/bin/tool", mode=0o755),
        entry("bin", type=tarfile.SYMTYPE, linkname="usr/bin", mode=0o777),
        folder("home"), folder("home/agent", uid=1000, gid=1000, mode=0o700),
        entry("home/agent/own", b"own\n", uid=1000, gid=1000, mode=0o600),
        folder("dev"), entry("dev/null", type=tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3),
        folder("gone"), entry("gone/file", b"x\n"), entry("usr/zeros", bytes(100000)),
    ])
    upper = tar([folder("etc"), entry("etc/two", b"two\n"), entry(".wh.gone"), *more])
    return [lower, upper]


def config(layers, arch=None, **kw):
    conf = {"User": "agent", "WorkingDir": "/w", "Entrypoint": ["/usr/bin/tool"], "Cmd": ["a", "b c"],
            "Env": ["PATH=/usr/bin:/bin", "LD_PRELOAD=/evil.so", "TEXT=one\ntwo"],
            "Labels": {"k": "v"}}
    arch, _, variant = (arch or ARCH).partition("/")
    if variant:
        kw["variant"] = variant
    doc = {"architecture": arch, "os": "linux", "created": "2024-01-02T03:04:05Z",
           "config": conf, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(x) for x in layers]},
           "history": [{"created_by": "made"} for _ in layers]}
    doc.update(kw)
    return compact(doc)


def write(path, members, packed=None):
    """members: (name, bytes) or what entry() gives."""
    data = tar([m if not isinstance(m[0], str) else entry(m[0], m[1]) for m in members])
    if packed == "gzip":
        data = gzip.compress(data, 1, mtime=0)
    with open(path, "wb") as f:
        f.write(data)


# ---- docker save ----

def saved(images):
    """images: (config, layers, tags)."""
    members, manifest, have = [], [], set()
    for conf, layers, tags in images:
        for x in [*layers, conf]:
            name = digest(x) + (".json" if x is conf else ".tar")
            if name not in have:
                members.append((name, x))
                have.add(name)
        manifest.append({"Config": digest(conf) + ".json", "RepoTags": tags or None,
                         "Layers": [digest(x) + ".tar" for x in layers]})
    return members, manifest


def docker(path, images, change=None, more=(), packed=None):
    members, manifest = saved(images)
    if change:
        manifest = change(manifest)
    doc = manifest if isinstance(manifest, bytes) else compact(manifest)
    write(path, [*members, *more, ("manifest.json", doc)], packed)


def make_docker(path, *tags):
    layers = base()
    docker(path, [(config(layers), layers, list(tags))])


def make_gzip(path, *tags):
    layers = base()
    docker(path, [(config(layers), layers, list(tags))], packed="gzip")


def make_several(path, *tags):
    """One image a tag; they share their lowest layer."""
    images = []
    for tag in tags:
        layers = base([entry("etc/tag", tag.encode())])
        images.append((config(layers), layers, [tag]))
    docker(path, images)


def make_twice(path, *tags):
    """The same layer two times, the second a link, as older versions of Docker write it."""
    lower = base()[0]
    layers = [lower, lower]
    conf = config(layers)
    write(path, [("a/layer.tar", lower),
                 entry("b/layer.tar", type=tarfile.SYMTYPE, linkname="../a/layer.tar"),
                 ("c.json", conf),
                 ("manifest.json", compact([{"Config": "c.json", "RepoTags": list(tags),
                                             "Layers": ["a/layer.tar", "b/layer.tar"]}]))])


def make_empty(path, *tags):
    """An image without layers."""
    docker(path, [(config([]), [], list(tags))])


def make_many(path, *tags, n=127):
    """As many layers as there may be."""
    layers = [tar([entry("f%d" % i, b"%d" % i), entry("same", b"%d" % i)]) for i in range(n)]
    docker(path, [(config(layers), layers, list(tags))])


def make_large(path, *tags):
    """20 MB that don't compress well, for tests that stop in the middle."""
    import random
    data = random.Random(1).randbytes(1 << 20)
    layers = [tar([entry("f%d" % i, data) for i in range(10)]), tar([entry("g%d" % i, data) for i in range(10)])]
    docker(path, [(config(layers), layers, list(tags))])


# ---- OCI ----

def blob(blobs, data):
    blobs[digest(data)] = data
    return {"digest": "sha256:" + digest(data), "size": len(data)}


def manifest_of(blobs, layers, arch=None, pack=True, **kw):
    packed = [gzip.compress(x, 1, mtime=0) if pack else x for x in layers]
    doc = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
           "config": {"mediaType": OCI + "config.v1+json", **blob(blobs, config(layers, arch))},
           "layers": [{"mediaType": OCI + "layer.v1.tar" + ("+gzip" if pack else ""), **blob(blobs, x)}
                      for x in packed]}
    doc.update(kw)
    return {"mediaType": OCI + "manifest.v1+json", **blob(blobs, compact(doc))}


def oci(path, manifests, blobs, index=None):
    doc = compact({"schemaVersion": 2, "manifests": manifests}) if index is None else index
    write(path, [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", doc),
                 *[("blobs/sha256/" + k, v) for k, v in blobs.items()]])


def named(desc, tag):
    return {**desc, "annotations": {"org.opencontainers.image.ref.name": tag}}


def make_oci(path, *tags):
    blobs = {}
    desc = manifest_of(blobs, base())
    oci(path, [named(desc, t) for t in tags] or [desc], blobs)


def index_of(blobs, archs):
    """An index of one image for each, and what a builder notes beside it."""
    entries = []
    for arch in archs:
        layers = base([entry("etc/arch", arch.encode())])
        name, _, variant = arch.partition("/")
        platform = {"os": "linux", "architecture": name, **({"variant": variant} if variant else {})}
        entries.append({**manifest_of(blobs, layers, arch), "platform": platform})
    entries.append({**manifest_of(blobs, [tar([])]), "platform": {"os": "unknown", "architecture": "unknown"},
                    "annotations": {"vnd.docker.reference.type": "attestation-manifest"}})
    doc = compact({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries})
    return {"mediaType": OCI + "index.v1+json", **blob(blobs, doc)}


def make_platforms(path, *tags):
    blobs = {}
    desc = index_of(blobs, [OTHER, "s390x", ARCH])
    oci(path, [named(desc, t) for t in tags] or [desc], blobs)


def make_variants(path, *archs):
    """One image, v:1, for each of these: amd64/v2, arm64/v8."""
    blobs = {}
    oci(path, [named(index_of(blobs, archs), "v:1")], blobs)


def make_variant_config(path, arch, *tags):
    """An archive of docker's, where nothing else says which platform it is for."""
    layers = base()
    docker(path, [(config(layers, arch), layers, list(tags))])


def make_artifacts(path, *tags):
    """What OCI 1.1 has beside an image: an artifact, in the layout and in an index without platforms."""
    blobs = {}
    desc = manifest_of(blobs, base())
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", **blob(blobs, b"{}")}
    doc = compact({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                   "artifactType": "application/spdx+json", "config": empty, "layers": [empty],
                   "subject": desc})
    art = {"mediaType": OCI + "manifest.v1+json", "artifactType": "application/spdx+json",
           **blob(blobs, doc)}
    same = {**desc, "artifactType": OCI + "config.v1+json"}
    doc = compact({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [art, same]})
    index = {"mediaType": OCI + "index.v1+json", **blob(blobs, doc)}
    oci(path, [art, *[named(index, t) for t in tags], art], blobs)


def make_other_platforms(path, *tags):
    blobs = {}
    oci(path, [named(index_of(blobs, [OTHER, "s390x"]), t) for t in tags], blobs)


def make_other_config(path, *tags):
    layers = base()
    docker(path, [(config(layers, OTHER), layers, list(tags))])


# ---- what a stranger might write (TPL-09) ----

def changed(key, value):
    def change(manifest):
        manifest[0][key] = value
        return manifest
    return change


def bad_docker(path, tags, change=None, more=(), layers=None):
    layers = layers or base()
    docker(path, [(config(layers), layers, list(tags))], change, more)


def make_bad_layer_path(path, *tags):
    bad_docker(path, tags, changed("Layers", ["../../x", "/etc/passwd"]))


def make_bad_config_path(path, *tags):
    bad_docker(path, tags, changed("Config", "../../etc/passwd"))


def make_bad_link_out(path, *tags):
    link = entry("l.tar", type=tarfile.SYMTYPE, linkname="../../../etc/passwd")
    bad_docker(path, tags, changed("Layers", ["l.tar", "l.tar"]), [link])


def make_bad_link_abs(path, *tags):
    link = entry("l.tar", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    bad_docker(path, tags, changed("Layers", ["l.tar", "l.tar"]), [link])


def make_bad_link_config(path, *tags):
    link = entry("c.json", type=tarfile.SYMTYPE, linkname="/etc/hostname")
    bad_docker(path, tags, changed("Config", "c.json"), [link])


def make_bad_link_loop(path, *tags):
    links = [entry("l.tar", type=tarfile.SYMTYPE, linkname="m.tar"),
             entry("m.tar", type=tarfile.SYMTYPE, linkname="l.tar")]
    bad_docker(path, tags, changed("Layers", ["l.tar", "m.tar"]), links)


def make_bad_digest(path, *tags):
    layers = base()
    lie = config([layers[0], layers[1] + b"x"])
    docker(path, [(lie, layers, list(tags))])


def make_bad_swapped(path, *tags):
    layers = base()
    docker(path, [(config(layers), layers, list(tags))],
           changed("Layers", [digest(layers[1]) + ".tar", digest(layers[0]) + ".tar"]))


def make_bad_missing(path, *tags):
    bad_docker(path, tags, changed("Layers", ["nowhere.tar", "nowhere.tar"]))


def make_bad_many(path, *tags):
    make_many(path, *tags, n=128)


def make_bad_count(path, *tags):
    layers = base()
    docker(path, [(config(layers), layers, list(tags))], changed("Layers", [digest(layers[0]) + ".tar"]))


def make_bad_deep(path, *tags):
    bad_docker(path, tags, lambda m: b"[" * 1000000)


def make_bad_no_json(path, *tags):
    bad_docker(path, tags, lambda m: b"[{")


def make_bad_huge_json(path, *tags):
    bad_docker(path, tags, lambda m: b" " * (9 << 20))


def make_bad_tar_in_layer(path, *tags):
    layers = base()
    layers[1] = layers[1][:700]
    docker(path, [(config(layers), layers, list(tags))])


def make_bad_escape_in_layer(path, *tags):
    layers = [base()[0], tar([entry("../../canary", b"x")])]
    docker(path, [(config(layers), layers, list(tags))])


def make_bad_no_images(path, *_tags):
    write(path, [("etc/passwd", b"x")])


def bad_oci(path, tags, change):
    blobs = {}
    desc = named(manifest_of(blobs, base()), tags[0])
    change(blobs, desc)
    oci(path, [desc], blobs)


def make_bad_blob_missing(path, *tags):
    def change(blobs, desc):
        doc = json.loads(blobs[desc["digest"][7:]])
        del blobs[doc["layers"][1]["digest"][7:]]
    bad_oci(path, tags, change)


def make_bad_blob_digest(path, *tags):
    def change(blobs, desc):
        key = desc["digest"][7:]
        blobs[key] = blobs[key].replace(b'"schemaVersion":2', b'"schemaVersion": 2')
        desc["size"] = len(blobs[key])
    bad_oci(path, tags, change)


def make_bad_layer_digest(path, *tags):
    def change(blobs, desc):
        key = json.loads(blobs[desc["digest"][7:]])["layers"][1]["digest"][7:]
        blobs[key] = bytes([*blobs[key][:4], blobs[key][4] ^ 1, *blobs[key][5:]])
    bad_oci(path, tags, change)


def make_bad_blob_size(path, *tags):
    def change(_blobs, desc):
        desc["size"] += 1
    bad_oci(path, tags, change)


def make_bad_nesting(path, *tags):
    blobs = {}
    desc = manifest_of(blobs, base())
    for _ in range(6):
        doc = compact({"schemaVersion": 2, "manifests": [desc]})
        desc = {"mediaType": OCI + "index.v1+json", **blob(blobs, doc)}
    oci(path, [named(desc, tags[0])], blobs)


def make_bad_blob_path(path, *tags):
    oci(path, [named({"mediaType": OCI + "manifest.v1+json", "digest": "sha256:../../../../etc/passwd",
                      "size": 5}, tags[0])], {})


if __name__ == "__main__":
    if sys.argv[1] == "kinds":
        print("\n".join(k[5:] for k in globals() if k.startswith("make_" + sys.argv[2])))
    else:
        globals()["make_" + sys.argv[1]](*sys.argv[2:])
