FROM base

LABEL maintainer="example.org" \
    description="A base for an agent, with tools of pinned versions"

ENV TOOL_HOME=/opt/tool \
    BROWSERS_PATH=/browsers 
    
USER root

ENV STORE=/home/app/.local/share/store
ENV NPM_CONFIG_PREFIX=
ENV PATH=/home/app/.local/bin:${PATH}

ARG A_VERSION=
ARG B_VERSION=10.24.0

RUN echo install \
        a${A_VERSION:+=${A_VERSION}} \
        b${B_VERSION:+=${B_VERSION}} >/installed \
    && mkdir -p /browsers /home/app/.local/bin \
    && chown -R app:app /browsers /home/app

USER app
SHELL ["/bin/sh", "-ec"]

# a tool of one's own
RUN unset NPM_CONFIG_PREFIX \
    && printf '#!/bin/sh\necho tool\n' >/home/app/.local/bin/tool \
    && chmod 755 /home/app/.local/bin/tool \
    && tool >/home/app/said

COPY --chown=app:app web/package.json web/lock.yaml /tmp/web/

RUN cd /tmp/web \
    && cat package.json lock.yaml >/home/app/fetched \
    && rm -rf /tmp/web

ARG TARGETARCH
RUN case "${TARGETARCH}" in \
        amd64|arm64) echo known ;; \
        *) echo "unsupported: ${TARGETARCH}" >&2; exit 1 ;; \
    esac >/browsers/arch

WORKDIR /workspace

ENTRYPOINT ["/bin/sh", "--"]
CMD ["sleep", "infinity"]
