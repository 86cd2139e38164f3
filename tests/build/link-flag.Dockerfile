FROM base
COPY --link a /deep/er/a
COPY --link --chown=9:9 d /d/
