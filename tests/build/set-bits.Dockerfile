# modes that mean something, made by a command, copied, copied on, and taken away
FROM base AS one
COPY tools/ /tools/
RUN echo x >/tools/suid && chmod 4711 /tools/suid && echo x >/tools/sgid && chmod 2755 /tools/sgid \
    && mkdir -m 2775 /tools/shared && mkdir -m 1777 /tools/sticky && echo x >/tools/none && chmod 000 /tools/none \
    && mkdir -m 0111 /tools/through && mkdir -m 0555 /tools/fixed
FROM base
COPY --from=one /tools /tools
COPY --from=one --chmod=0640 /tools/suid /kept/
COPY --from=one --chown=5:6 /tools/sgid /tools/shared /owned/
RUN chmod u-s /tools/suid && chmod 0600 /tools/none && chown 9:9 /tools/sgid && chmod a+x /kept/suid && touch /owned/shared
COPY --chmod=4755 tools/plain /suid-by-flag
