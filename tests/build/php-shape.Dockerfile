# as an application is written whose files one user shares with a server: recursive modes and owners, copies of links
FROM base
SHELL ["/bin/sh", "-exc"]
RUN mkdir -p var/cache var/log public/bundles; \
    echo 'www-data:x:33:' >>/etc/group; echo 'www-data:x:33:33::/var/www:/bin/sh' >>/etc/passwd; \
    chown -R www-data:www-data var; chmod -R u=rwX,g=rX,o= var; chmod g+s var/cache; \
    ln -s ../var/log public/log; busybox chown -R -h www-data: public; mkdir -m 1770 /var/lib/php; chown www-data:staff /var/lib/php; \
    busybox cp /bin/busybox /usr/bin/bb; chown root:staff /usr/bin/bb; chmod 4711 /usr/bin/bb; rm /bin/top; busybox mv /var/log /var/log2 2>/dev/null || true; \
    busybox cp -a /public /public2; busybox tar -cf /tmp/p.tar public; mkdir /un; busybox tar -xf /tmp/p.tar -C /un; rm /tmp/p.tar
RUN chmod 755 /usr/bin/bb; busybox find / -xdev -perm -4000 -type f >/tmp/found
COPY conf/*.ini ${CONF_DIR:-/usr/local/etc}/conf.d/
RUN busybox touch -d '2020-01-01 00:00:00' /var/lib/php/x; echo "in $PWD" >/tmp/pwd
WORKDIR public
WORKDIR ../un
CMD ["php-fpm"]
