# what a user has made, copied on with owners and without (links and FIFOs keep theirs only by --chown)
FROM base AS b
WORKDIR /app
RUN chown app:app /app && chmod 770 /app && mkdir -m 1777 /sticky && echo x >/sticky/f
USER app
RUN mkdir bin && echo x >bin/tool && chmod 4710 bin/tool && ln bin/tool bin/hard
FROM base
# the directories that are copied to are none of what is copied
COPY --from=b /app /app
COPY --from=b /sticky /plain
COPY --from=b --chmod=0700 /sticky /flag
USER app
RUN ln -s /tmp/l /tmp/m && ln -sf x /tmp/l && mkfifo /tmp/p
USER root
RUN cd /app/bin && ln -s tool alias && mkfifo pipe
COPY --from=b --chown=5:6 /app /owned
COPY --chown=7:8 d /ctx
