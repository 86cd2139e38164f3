# an archive that lists its own root, where that is one, and where it is not; groups alone, ids alone
FROM base
RUN mkdir -p /opt/tool.d /etc/app.d && chown app:app /etc/app.d && chmod 700 /etc/app.d && echo old >/opt/tool && busybox chown 9:9 /opt/tool
ADD --chown=app:app t.tar /
ADD t.tar /sub/dir/
COPY --chmod=644 --chown=:staff f /g/
COPY --chown=1000 f /h/
COPY --chown=root:1000 f /i/
USER app
WORKDIR /home/app/w
COPY f .
ADD t.tar .
RUN echo y >/tmp/y && ln -s y /tmp/ly
