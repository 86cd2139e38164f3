# links and FIFOs that a command gives away: its own, those of lower layers, with and without all below
FROM base
COPY d /d
RUN mkdir /app /app/bin && echo x >/app/x && ln -s ../x /app/bin/x && ln -s x /app/y && mkfifo /app/p
RUN mkdir /links && ln -s /d /links/one && busybox chown -h app:staff /links/one && ln -s /d /links/two && busybox chown -h app /links/two && \
    busybox chgrp -h staff /links/two && ln -s /d /links/three
RUN busybox chown -R app:app /app && busybox chown -h 5:6 /d/l
RUN ln -s later /app/bin/later && echo more >>/app/x && busybox chown -h 9:9 /links/three && busybox chown -h 10 /links/three
RUN rm /app/y && ln -s new /app/y
FROM base
COPY --from=0 /app /copied
COPY --from=0 /links /links
COPY --from=0 /d /all/
RUN busybox chown -R 3:4 /all
