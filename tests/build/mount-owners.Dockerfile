# whose root is what is mounted for a RUN: as root's it is copied on
FROM base AS s
RUN mkdir /q && echo q >/q/f && busybox chown 3:4 /q/f && busybox chmod 4711 /q/f && ln -s f /q/l
FROM base
RUN --mount=type=bind,source=src,target=/src busybox cp -a /src /copy && busybox stat -c '%u:%g %a' /src /src/a /src/l >/seen
RUN --mount=type=bind,from=s,source=/q,target=/q busybox cp -a /q /q2 && busybox stat -c '%u:%g %a' /q /q/f >>/seen
RUN --mount=type=cache,target=/c echo c >/c/f && busybox cp -a /c/f /cf
RUN --mount=type=tmpfs,target=/t echo t >/t/f && busybox cp -a /t/f /tf
