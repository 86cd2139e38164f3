# as images of a language are written: a user, a version, a download that is unpacked, links, an entrypoint
FROM base

RUN echo 'node:x:1001:' >>/etc/group \
    && echo 'node:x:1001:1001::/home/node:/bin/sh' >>/etc/passwd \
    && mkdir /home/node \
    && chown node:node /home/node

ENV NODE_VERSION 22.1.0

RUN ARCH= && dpkgArch="amd64" \
  && case "${dpkgArch##*-}" in \
    amd64) ARCH='x64';; \
    arm64) ARCH='arm64';; \
    *) echo "unsupported architecture"; exit 1 ;; \
  esac \
  && set -ex \
  && mkdir -p /usr/local/bin /usr/local/include/node /tmp/dist/node-v$NODE_VERSION-linux-$ARCH/bin \
  && echo "$NODE_VERSION" > /tmp/dist/node-v$NODE_VERSION-linux-$ARCH/bin/node \
  && chmod 755 /tmp/dist/node-v$NODE_VERSION-linux-$ARCH/bin/node \
  && tar -cf /tmp/node.tar -C /tmp/dist "node-v$NODE_VERSION-linux-$ARCH" \
  && tar -xf /tmp/node.tar -C /usr/local --strip-components=1 --no-same-owner 2>/dev/null || cp -r /tmp/dist/*/. /usr/local/ \
  && rm -rf /tmp/dist /tmp/node.tar \
  && ln -s /usr/local/bin/node /usr/local/bin/nodejs

ENV YARN_VERSION 1.22.22

RUN set -ex \
  && mkdir -p /opt/yarn-v$YARN_VERSION/bin \
  && echo yarn >/opt/yarn-v$YARN_VERSION/bin/yarn \
  && ln -s /opt/yarn-v$YARN_VERSION/bin/yarn /usr/local/bin/yarn \
  && ln -s /opt/yarn-v$YARN_VERSION/bin/yarn /usr/local/bin/yarnpkg \
  && rm -f yarn.tar.gz

COPY docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["docker-entrypoint.sh"]

CMD [ "node" ]
