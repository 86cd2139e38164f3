FROM base
WORKDIR /var/lib
WORKDIR app
RUN pwd >where
USER app
WORKDIR data
RUN pwd >/tmp/where && id -u >/tmp/id
USER 0
RUN id -u >/tmp/root
