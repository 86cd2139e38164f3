# ARG before the first FROM, with and without a default, and what is there without being given
ARG REGISTRY
ARG IMAGE=base
ARG TAG
FROM ${REGISTRY:+$REGISTRY/}${IMAGE}:${TAG:-latest} AS first
ARG IMAGE
ARG TAG=inner
ARG EMPTY=
RUN echo "$IMAGE|$TAG|${EMPTY-unset}|${REGISTRY:-none}" >/one
FROM first AS second
ARG TARGETPLATFORM
ARG TARGETOS
RUN echo "${TARGETPLATFORM%%/*} $TARGETOS" >/two
FROM ${IMAGE}
ARG GIVEN
ARG GIVEN_TOO=default
COPY --from=first /one /
COPY --from=second /two /
COPY --from=1 /two /by-number
LABEL given=$GIVEN too=${GIVEN_TOO} both="${GIVEN}-${GIVEN_TOO}"
