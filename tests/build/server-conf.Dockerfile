# as a web server's image is written: its configuration in heredocs, logs that are links to devices
FROM base
ARG SERVER=example.org
RUN mkdir -p /var/log/nginx /etc/nginx/conf.d /usr/share/nginx && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
COPY --chmod=0644 <<EOF /etc/nginx/conf.d/default.conf
server {
    server_name ${SERVER};
    location / { try_files \$uri /index.html; }
}
EOF
COPY <<'ONE' <<-"TWO" /etc/nginx/
keep $uri as it is
ONE
	worker_processes auto;
	TWO
COPY --chown=app html /usr/share/nginx/html
RUN <<EOF
set -e
mkdir -p /var/cache/nginx
for d in client proxy; do
	mkdir /var/cache/nginx/$d
done
chown -R app:app /var/cache/nginx
EOF
STOPSIGNAL SIGQUIT
EXPOSE 80 443/tcp
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]
