# as a service is written that installs below a prefix, which is laid over /usr/local of a slim image
ARG PYTHON=3.12
FROM base AS slim
ARG PYTHON
RUN mkdir -p /usr/local/bin /usr/local/lib/python$PYTHON/site-packages && chmod 2755 /usr/local/lib/python$PYTHON && \
    echo python >/usr/local/bin/python$PYTHON && chmod 755 /usr/local/bin/python$PYTHON && \
    ln -s python$PYTHON /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python
ENV LANG=C.UTF-8 PYTHON_VERSION=$PYTHON
FROM slim AS builder
WORKDIR /install
COPY requirements.txt /requirements.txt
RUN while IFS== read -r name _ version; do \
        d=lib/python$PYTHON_VERSION/site-packages/$name-$version.dist-info; \
        mkdir -p "$d" bin; echo "$version" >"$d/METADATA"; printf '#!/usr/local/bin/python\n' >"bin/$name"; \
    done </requirements.txt; chmod 755 bin/*; chmod 700 lib
FROM slim
COPY --from=builder /install /usr/local
COPY ./app /app/app
WORKDIR /app
ENV PYTHONPATH=/app${PYTHONPATH:+:$PYTHONPATH}
EXPOSE 5000
CMD python -m gunicorn --bind 0.0.0.0:${PORT:-5000} app.main:app
