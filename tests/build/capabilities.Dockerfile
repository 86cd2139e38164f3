# what a program may do, and attributes of a user's own, come by a tar, and along with copies
FROM base AS one
ADD tools.tar /
RUN mv /tools/ping /tools/ping2 && chmod 700 /tools/tagged
FROM base
COPY --from=one /tools /tools
COPY --from=one --chown=3:4 --chmod=711 /tools/ping2 /own/
COPY --link --chown=1000:1000 --chmod=755 f d /linked/
