FROM base
COPY d /d/
COPY link.txt /followed/
COPY d/dirlink /dirlinked/
