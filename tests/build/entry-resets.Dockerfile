# what a stage inherits of ENTRYPOINT, CMD and the rest, and what resets what
FROM base AS one
RUN mkdir /v1 /v2 "/v 3"
ENTRYPOINT ["/one"]
CMD ["a", "b"]
ENV A=1 B=2
LABEL l=1 m=2
VOLUME /v1
EXPOSE 1
USER app
STOPSIGNAL 9
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK CMD true
FROM one AS two
ENTRYPOINT exec /two --flag
LABEL m=3
ENV B=
VOLUME ["/v2", "/v 3"]
EXPOSE 2/udp 1
FROM two AS three
CMD echo "$A$B"
USER 1000:staff
STOPSIGNAL SIGRTMIN+3
HEALTHCHECK NONE
FROM three
ENTRYPOINT []
RUN echo "$0 $-" >/tmp/how
