FROM base
COPY one /d/
COPY two /d/
COPY f /d/x
COPY two/x /linked/y
