FROM base AS first
RUN echo first >/f
FROM first AS second
RUN echo second >/f
