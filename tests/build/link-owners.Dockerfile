# whose links and FIFOs are goes along: out of an archive, from stage to stage, unless --chown says so
FROM base
ADD t.tar /x/
FROM base
COPY --from=0 /x /y
RUN mkdir /z && ln -s /y/d /z/way
USER 1000
RUN mkdir /tmp/own && ln -s /home /tmp/own/mine && mkfifo /tmp/own/pipe
FROM base
ADD t.tar over/ /a/
COPY --from=1 /y/d/ /b/
COPY --from=1 /z/way/ /c/
COPY --from=1 --chown=5:6 /y /e/
COPY --from=1 /tmp/own /f/
COPY over/d /b/
