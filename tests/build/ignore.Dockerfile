FROM base
COPY . /ctx/
COPY src /src/
