# The data server. Build: docker build -t peregrine .   Run: see docs/server.md
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci && npm run build && npm prune --omit=dev && rm -rf packages/*/test packages/*/dist/test

FROM node:24-bookworm-slim
ENV NODE_ENV=production PEREGRINE_HOST=0.0.0.0 PEREGRINE_INSECURE=1 PEREGRINE_DATA=/data
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/packages ./packages
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8815 8123
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PEREGRINE_HTTP_PORT ?? 8123}/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/packages/cli/bin/peregrine.mjs", "serve"]
