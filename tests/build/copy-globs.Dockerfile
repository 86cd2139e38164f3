FROM base
COPY *.txt /txt/
COPY a?.md [x-z]*.c /mixed/
COPY d*/f /last
COPY package.json missing*.lock /opt/
