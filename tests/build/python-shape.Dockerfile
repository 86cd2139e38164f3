# as a service in an interpreted language is written: a virtual environment that is moved, by links
FROM base AS builder
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=off
WORKDIR /app
COPY requirements*.txt ./
RUN mkdir -p /opt/venv/bin /opt/venv/lib/python3.11/site-packages && \
    ln -s lib /opt/venv/lib64 && \
    ln -s /usr/bin/python3 /opt/venv/bin/python3 && ln -s python3 /opt/venv/bin/python && \
    printf '#!/opt/venv/bin/python\n' > /opt/venv/bin/pip && chmod +x /opt/venv/bin/pip && \
    while read -r line; do echo "$line" >"/opt/venv/lib/python3.11/site-packages/$line"; done <requirements.txt

FROM base AS final
ENV PATH="/opt/venv/bin:$PATH" VIRTUAL_ENV=/opt/venv
RUN echo 'appuser:x:10001:' >>/etc/group \
    && echo 'appuser:x:10001:10001::/nonexistent:/bin/sh' >>/etc/passwd
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY --chown=appuser:appuser . .
USER appuser
RUN echo "$PATH $VIRTUAL_ENV" >/app/pkg/env
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
  CMD wget -q -O- http://localhost:8000/health || exit 1
EXPOSE 8000
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
