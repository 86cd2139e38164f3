#!/usr/bin/env python3
"""An OCI layout of tars: what skopeo copies into a registry.

usage: layout.py OUT NAME [--config JSON] TAR...

Layers are the tars, lowest first, packed by gzip; JSON is the object "config" of the configuration.
"""
import gzip
import hashlib
import json
import os
import sys

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "amd64")
OCI = "application/vnd.oci.image."


def put(out, data):
    name = hashlib.sha256(data).hexdigest()
    with open("%s/blobs/sha256/%s" % (out, name), "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def main():
    out, name, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    config = {}
    if rest and rest[0] == "--config":
        config, rest = json.loads(rest[1]), rest[2:]
    os.makedirs(out + "/blobs/sha256")
    layers, diffs = [], []
    for path in rest:
        with open(path, "rb") as f:
            raw = f.read()
        diffs.append("sha256:" + hashlib.sha256(raw).hexdigest())
        layers.append({"mediaType": OCI + "layer.v1.tar+gzip",
                       **put(out, gzip.compress(raw, 1, mtime=0))})
    body = {"architecture": ARCH, "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids": diffs}}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": {"mediaType": OCI + "config.v1+json", **put(out, json.dumps(body).encode())},
                "layers": layers}
    entry = {"mediaType": OCI + "manifest.v1+json", **put(out, json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": name}}
    with open(out + "/index.json", "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, f)
    with open(out + "/oci-layout", "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)


main()
