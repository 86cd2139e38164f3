FROM base
RUN echo shell >/a
RUN ["/bin/sh", "-c", "echo exec >/b"]
SHELL ["/bin/sh", "-e", "-c"]
RUN echo opts $- >/c
RUN set -f; \
    # a comment in between
    echo "with \"quotes\" and \$HOME" \
      >/d && \

    echo more >>/d
ENTRYPOINT ["/bin/echo", "hello"]
CMD ["world"]
