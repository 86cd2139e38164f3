# as a web application is written that is copied piece by piece, with data of set-ID directories
FROM base AS b
WORKDIR /app
COPY web .
RUN mkdir -p data && chmod 2770 data && busybox chown app:staff data && ln -s ../data public/data
FROM base AS runner
WORKDIR /app
ENV NEXT_TELEMETRY_DISABLED 1
RUN echo 'nodejs:x:1001:' >>/etc/group && echo 'nextjs:x:1001:1001::/:/sbin/nologin' >>/etc/passwd
COPY --from=b /app/public ./public
RUN mkdir .next && chown nextjs:nodejs .next
COPY --from=b --chown=nextjs:nodejs /app/.next/standalone ./
COPY --from=b --chown=nextjs:nodejs /app/.next/static ./.next/static
COPY --from=b /app/data /srv/data
COPY --from=b /app/ /srv/all
USER nextjs
EXPOSE 3000
ENV PORT=3000 HOSTNAME="0.0.0.0"
CMD ["node", "server.js"]
