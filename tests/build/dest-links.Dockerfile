FROM base
RUN mkdir -p /real/dir && ln -s real /alias && ln -s /real/dir /absolute
COPY a /alias/
COPY a /absolute/b
COPY d /absolute/
