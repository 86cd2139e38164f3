# as a service is written whose dependencies come from a stage of their own, for a user who is not root
FROM base AS node
RUN echo 'node:x:1001:' >>/etc/group && echo 'node:x:1001:1001::/home/node:/bin/sh' >>/etc/passwd && mkdir -p /home/node && chown 1001:1001 /home/node
FROM node AS deps
WORKDIR /usr/src/app
COPY package.json package-lock.json* npm-shrinkwrap.json* .npmrc* ./
RUN mkdir -p node_modules/.bin node_modules/express/bin && echo e >node_modules/express/index.js && \
    echo b >node_modules/express/bin/x.js && chmod +x node_modules/express/bin/x.js && \
    ln -s ../express/bin/x.js node_modules/.bin/express && chown -R node:node node_modules
FROM node
ENV NODE_ENV production
WORKDIR /usr/src/app
RUN chown node:node .
USER node
COPY --chown=node:node --from=deps /usr/src/app/node_modules ./node_modules
COPY --from=deps /usr/src/app/node_modules ./kept
COPY --chown=node:node . .
RUN mkdir -p dist && echo built >dist/index.js && rm -rf src
EXPOSE 3000
CMD [ "node", "dist/index.js" ]
