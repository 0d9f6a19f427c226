# The provider. Node runs its TypeScript as it is; only the dashboard's pages are built, in a stage of their own. The first
# stage has the compilers that a native module may need where no binary of it is shipped for the platform; the last has none.
FROM node:24-bookworm AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: it refuses a lockfile that leaves out other platforms' binaries. Every version comes from the lockfile all the same.
RUN npm install --no-save --omit=dev --ignore-scripts=false --no-audit --no-fund

FROM node:24-bookworm AS pages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY . .
RUN npm run build -- --only merchant,dashboard

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    TUPPENCE_DATA=/data \
    TUPPENCE_HOST=0.0.0.0 \
    TUPPENCE_PORT=4020 \
    TUPPENCE_METRICS_HOST=0.0.0.0 \
    TUPPENCE_METRICS_PORT=9464
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY shared ./shared
COPY server ./server
COPY --from=pages /app/dist/dashboard ./dist/dashboard
# A volume that is mounted over an existing folder takes over its owner: the provider must be able to write.
RUN mkdir /data && chown node:node /data && chmod 700 /data
VOLUME /data
USER node
# 4020: the two public origins, behind a reverse proxy. 9464: metrics and probes, for the inside of the network only.
EXPOSE 4020 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4020/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server/main.ts"]
