FROM base
LABEL maintainer="Some One" org.example.x='y z'
EXPOSE 80 443/tcp 53/udp
VOLUME /data ["/x"]
VOLUME ["/v 1", "/v2"]
STOPSIGNAL SIGQUIT
USER app:staff
ONBUILD RUN echo x
ONBUILD COPY . /src
