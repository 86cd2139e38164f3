# what is copied or unpacked where links, files and directories are already
FROM base
RUN mkdir -p /real /data/keep && echo old >/real/f && echo old >/data/keep/x && ln -s /real /dirlink && ln -s /real/f /filelink && ln -s none /dangling && ln -s . /data/self
COPY f /dirlink/f
COPY d /dirlink
COPY f /data/keep/x
COPY tree/ /data/
ADD over.tar /data/
ADD over.tar /dirlink/
COPY link-to-file /from-link
COPY link-to-dir /from-dir/
COPY tree/inner-link /inner
COPY links/ /links/
