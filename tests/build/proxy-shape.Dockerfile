# as a web server is written: logs that are links to devices, scripts by a pattern, a directory for each
FROM base
LABEL maintainer="Some One <some.one@example.org>"
ENV NGINX_VERSION   1.25.4
ENV PKG_RELEASE     1~bookworm
RUN set -x \
    && echo 'nginx:x:101:' >>/etc/group \
    && echo 'nginx:x:101:101::/nonexistent:/bin/sh' >>/etc/passwd \
    && mkdir -p /var/log/nginx /usr/share/nginx/html /etc/nginx/conf.d \
    && echo "$NGINX_VERSION-$PKG_RELEASE" >/etc/nginx/version \
    && ln -sf /dev/stdout /var/log/nginx/access.log \
    && ln -sf /dev/stderr /var/log/nginx/error.log \
    && mkdir /docker-entrypoint.d

COPY docker-entrypoint.sh /
COPY 10-*.sh [2-3]0-*.sh /docker-entrypoint.d/
COPY html /usr/share/nginx/html
COPY default.conf.template /etc/nginx/templates/
ENTRYPOINT ["/docker-entrypoint.sh"]

EXPOSE 80 443/tcp

STOPSIGNAL SIGQUIT

CMD ["nginx", "-g", "daemon off;"]
