FROM base
COPY . /all/
COPY src /src/
COPY docs/ /docs/
