# as a compiled program is written whose dependencies and objects lie in caches
FROM base AS chef
WORKDIR /app
FROM chef AS planner
COPY . .
RUN cat Cargo.lock >recipe.json
FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked --mount=type=cache,target=/app/target \
    mkdir -p target/release/deps && cat recipe.json >target/release/deps/d && echo r >/usr/local/cargo/registry/index
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/app/target \
    --mount=type=bind,source=Cargo.toml,target=/tmp/toml \
    cat src/main.rs target/release/deps/d /usr/local/cargo/registry/index /tmp/toml >target/release/app && \
    chmod 755 target/release/app && busybox cp target/release/app /usr/local/bin/app || exit 1
FROM base AS runtime
WORKDIR /app
COPY --from=builder /usr/local/bin/app /usr/local/bin
COPY --from=builder /app /all
RUN chmod 711 /usr/local/bin
ENTRYPOINT ["/usr/local/bin/app"]
