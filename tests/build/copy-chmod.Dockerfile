FROM base
COPY --chmod=600 a /f/
COPY --chmod=0755 b /g/b
COPY --chmod=4711 a /setuid
