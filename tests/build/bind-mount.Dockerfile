FROM base AS s
RUN mkdir /s && echo stage >/s/f
FROM base
RUN --mount=type=bind,source=in,target=/in --mount=type=bind,from=s,source=/s,target=/s cat /in/x /s/f >/got
