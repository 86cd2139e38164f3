FROM base AS broken
RUN exit 3
FROM base AS good
RUN echo ok >/ok
