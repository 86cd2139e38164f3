# as supervisors are installed: archives and trees over a root whose directories are links
FROM base
RUN mkdir -p /usr/sbin /usr/lib && ln -s /usr/sbin /sbin && ln -s usr/lib /lib && ln -s usr/lib /lib64 && mkdir /srv && chmod 750 /srv && chown app:staff /srv
ADD files.tar.gz /
COPY rootfs/etc/ /etc/
COPY rootfs/lib/ /lib/
ADD dirs.tar /opt/
RUN mkdir /over && ln -s /usr/sbin /over/sbin && ln -s /usr/lib /over/usr
ADD dirs.tar /over
RUN echo "$(cat /sbin/init)" >/tmp/seen
