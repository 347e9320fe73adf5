# Serves the artifact in artifacts/ (or the one mounted at ARTIFACT) on PORT. onnxruntime needs glibc >= 2.28: no Alpine.
FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile --production

FROM oven/bun:1.4.5-slim
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY artifacts ./artifacts
COPY functions ./functions
COPY src ./src
# Nothing is written at run time: a read-only root file system and any user id will do.
USER bun
ENV PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s \
  CMD ["bun", "-e", "const r = await fetch(`http://127.0.0.1:${process.env.PORT}/live`); process.exit(r.ok ? 0 : 1)"]
ENTRYPOINT ["bun", "functions/bun.ts"]
