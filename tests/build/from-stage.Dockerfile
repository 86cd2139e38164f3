FROM base AS a
ENV X=1
ARG Y=2
WORKDIR /w
RUN echo $X >x
FROM a AS b
RUN echo $X >y
CMD ["run"]
FROM b
RUN cat x y >z
