ARG BASE=base
ARG GLOBAL=outer
FROM ${BASE}
ARG GLOBAL
ARG NAME=default
ARG UNSET
ENV A=1 B="two words" C=three\ words D='$A'
ENV E=$A-${UNSET:-none}-${NAME:+set}
ENV OLD the old  form
ENV A=2 F=$A
RUN echo "$GLOBAL $NAME $UNSET|$A|$B|$C|$D|$E|$F|$OLD" >/env
WORKDIR /$NAME/${A}
COPY $NAME.txt ./
LABEL l="$NAME and ${GLOBAL}" m=2
