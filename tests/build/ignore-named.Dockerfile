FROM base
COPY . /ctx/
