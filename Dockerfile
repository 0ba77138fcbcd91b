# The data server. Build: docker build -t peregrine .   Run: see docs/server.md
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
# The command as it is published, and the packages that are not bundled into it, as the lock file has them.
RUN npm ci && npm run build && npm pack --workspace peregrine \
  && mkdir -p /app/node_modules/peregrine \
  && tar -xzf peregrine-*.tgz --strip-components=1 -C /app/node_modules/peregrine \
  && cp -r node_modules/koffi node_modules/@koromix node_modules/@duckdb node_modules/@bokuweb /app/node_modules/

FROM node:24-bookworm-slim
ENV NODE_ENV=production PEREGRINE_HOST=0.0.0.0 PEREGRINE_INSECURE=1 PEREGRINE_DATA=/data
WORKDIR /app
COPY --from=build /app ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8815 8123
# Without HTTP there is still the port of Flight to knock at.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "const { PEREGRINE_HTTP_PORT: http = '8123', PEREGRINE_FLIGHT_PORT: flight = '8815' } = process.env; const end = (ok) => process.exit(ok ? 0 : 1); if (http === 'off') require('node:net').connect(flight, '127.0.0.1', () => end(true)).on('error', () => end(false)); else fetch(`http://127.0.0.1:${http}/ready`).then((r) => end(r.ok), () => end(false))"]
ENTRYPOINT ["node", "/app/node_modules/peregrine/bin/peregrine.mjs", "serve"]
