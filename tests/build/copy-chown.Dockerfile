FROM base
COPY --chown=1000:1000 a /num/
COPY --chown=app:staff a /names/
COPY --chown=app a /user-alone/
COPY --chown=7:8 d /tree
COPY --chown=3:4 a /etc/owned
