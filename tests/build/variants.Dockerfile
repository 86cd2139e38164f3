# stages whose names come from arguments, with those of the platform
ARG VARIANT=slim
ARG BASE_TAG=latest
ARG ROOT=/opt/${VARIANT}
FROM --platform=$BUILDPLATFORM base:${BASE_TAG} AS tools
ARG BUILDPLATFORM
ARG TARGETPLATFORM
ARG ROOT
RUN [ "$BUILDPLATFORM" = "$TARGETPLATFORM" ] && echo "same ${ROOT}" >/tools
FROM base AS base-slim
COPY slim /which
FROM base AS base-full
COPY full /which
ENV FULL=1
FROM base-${VARIANT} AS final
ARG VARIANT
ARG ROOT
ARG LATE=${VARIANT}-${ROOT##*/}
COPY --from=tools /tools ${ROOT}/
ENV V=${VARIANT:-none} LATE=$LATE
LABEL variant="${VARIANT}" root='$ROOT' late="${LATE:+set}"
