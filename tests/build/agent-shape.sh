# the context of agent-shape
# options: --build-arg TARGETARCH=amd64
mkdir web
echo {} >web/package.json
echo lock >web/lock.yaml
