FROM base AS build
RUN mkdir /out && echo built >/out/prog && chmod 755 /out/prog && ln -s prog /out/link
FROM base AS other
COPY --from=build /out/ /usr/local/bin/
RUN cat /usr/local/bin/link >/seen
FROM scratch
COPY --from=other /seen /
COPY --from=0 /out/prog /prog
