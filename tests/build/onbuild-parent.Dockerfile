# a parent whose triggers are carried out where another stage begins with it, and not again behind that
FROM base AS parent
ENV RACK_ENV=production
WORKDIR /usr/src/app
ONBUILD ARG GROUP=main
ONBUILD COPY Gemfile Gemfile.lock ./
ONBUILD RUN cat Gemfile >installed-${GROUP} && id -u >>installed-main
ONBUILD ENV INSTALLED=$RACK_ENV
ONBUILD COPY --chown=app . .
ONBUILD USER app
ONBUILD LABEL made="from $RACK_ENV"
ONBUILD CMD ["parent", "cmd"]
CMD ["shadowed"]
FROM parent AS child
RUN id -u >/tmp/who
WORKDIR child
FROM child
EXPOSE 1
RUN echo "$INSTALLED" >/tmp/installed
