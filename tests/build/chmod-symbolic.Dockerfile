FROM base
RUN mkdir /from && echo x >/from/x && chmod 6755 /from/x
FROM base
ARG MODE=g-r
COPY --chmod=u+x a /m/1
COPY --chmod=+x a /m/2
COPY --chmod=a=rx,u+w a /m/3
COPY --chmod=o=g a /m/4
COPY --chmod=${MODE},o+r a /m/5
COPY --chmod=u+s,g+x a /m/6
COPY --chmod=u=rw,go= d /tree/
COPY --chmod=go-rwx,a+X d /other/
COPY --chmod=u-s --from=0 /from/x /m/x
COPY --chmod=g+w --from=0 /from/x /m/y
COPY --chmod=+t d /sticky/
COPY --chmod=ug+x <<EOF /m/doc
text
EOF
