# as a compiled program is written: sources of a first stage, one file of it in an empty last one
FROM base AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN cat go.mod go.sum >/deps
COPY . .
ENV CGO_ENABLED=0
RUN mkdir /out && echo "$TARGETOS $VERSION $CGO_ENABLED" >/out/app && cat cmd/main.go >>/out/app && chmod 0755 /out/app \
    && mkdir -p /out/etc && echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >/out/etc/passwd \
    && mkdir -p /out/dirs && mkdir -m 1777 /out/dirs/tmp

FROM scratch AS debug
COPY --from=build /out/ /
COPY --from=build /bin/busybox /busybox/busybox

FROM scratch
LABEL org.opencontainers.image.source=https://example.org/app \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/etc/passwd /etc/passwd
COPY --from=build --chown=65532:65532 /out/dirs /
COPY --from=build /out/app /usr/bin/
USER 65532:65532
EXPOSE 8080/tcp 9090
ENTRYPOINT ["/usr/bin/app"]
