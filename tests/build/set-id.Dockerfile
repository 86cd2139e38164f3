# what a command sees of set-ID bits of lower layers, copies, and takes away
FROM base
ADD t.tar /x/
FROM base
COPY --from=0 /x /x
RUN test -u /x/d/keep && test ! -u /bin/busybox && test -g /x/shared && busybox stat -c %a /x/d/group /x/closed >/seen
RUN busybox find /x -perm -4000 | busybox sort >/found
RUN cp=/x/d/copied && busybox cp -p $cp /copy && busybox cp -a /x/shared /shared
RUN chmod u-s /x/d/gone && test ! -u /x/d/gone && chmod g+w /x/d/gone
RUN chmod 0755 /x/d/numeric && busybox stat -c %a /x/d/numeric >>/seen
RUN chmod o-rx /x/d/more && busybox stat -c %a /x/d/more >>/seen
RUN chmod 755 /x/d/again && chmod u+s /x/d/again
RUN chmod 700 /x/closed && busybox find /x -perm -4000 | busybox sort >>/found
RUN busybox find /x -perm -2000 -exec chmod a-s {} + && ! busybox find /x -perm -2000 | busybox grep .
