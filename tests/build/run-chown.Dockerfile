FROM base
RUN echo x >/x && chown 5:6 /x && chmod 4755 /x && mkdir /d && chown app:staff /d && ln -s x /l
USER app
RUN echo y >/tmp/y && mkdir /tmp/d
USER root
RUN chown 7 /tmp/y
