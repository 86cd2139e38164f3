FROM base
RUN --mount=type=cache,target=/cache,id=cm echo 1 >>/cache/n && echo made >/one
RUN --mount=type=cache,target=/cache,id=cm test -s /cache/n && echo kept >/two
RUN --mount=type=tmpfs,target=/t echo x >/t/x && test -s /t/x
