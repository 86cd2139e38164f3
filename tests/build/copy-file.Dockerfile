FROM base
COPY a.txt /one/
COPY a.txt /two/b.txt
COPY a.txt b.txt /three/
COPY a.txt /etc
