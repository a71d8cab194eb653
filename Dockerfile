ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS packages
WORKDIR /opt/node-red-tcp
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=extra_ca --mount=type=cache,target=/root/.npm \
    set -eux; \
    if [ -s /run/secrets/extra_ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/extra_ca; fi; \
    npm ci --no-audit --no-fund --ignore-scripts

FROM packages AS runtime-packages
COPY scripts/image-packages.ts scripts/
RUN npm prune --omit=dev --ignore-scripts --offline && node scripts/image-packages.ts

FROM packages AS sources
COPY tsconfig.json tsconfig.build.json settings.ts ./
COPY scripts scripts
COPY examples examples
COPY src src

FROM sources AS build
RUN node scripts/build.ts

# `npm run ports` in one file; its package.json names the packages that it needs.
FROM sources AS live-ports-build
RUN node scripts/build-command.ts scripts/ports.ts live-ports

FROM packages AS live-ports-packages
COPY scripts/image-packages.ts scripts/
COPY --from=live-ports-build /opt/node-red-tcp/live-ports/package.json live-ports/
RUN node scripts/image-packages.ts live-ports/package.json

# Forwards one port to Node-RED; `npm run ports` starts one for each.
FROM ${BASE_IMAGE} AS relay
RUN --mount=type=secret,id=extra_ca \
    set -eux; \
    ca=/run/secrets/extra_ca; [ -s "$ca" ] || ca=/etc/ssl/certs/ca-certificates.crt; \
    apt-get -o Acquire::https::CAInfo="$ca" update; \
    apt-get -o Acquire::https::CAInfo="$ca" install -y --no-install-recommends haproxy; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*
LABEL org.opencontainers.image.title="node-red-tcp-relay" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY src/ports/docker/relay /etc/relay
USER haproxy
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=2 CMD ["/etc/relay/healthcheck.sh"]
# As process 1, HAProxy ends at this signal only.
STOPSIGNAL SIGUSR1
ENTRYPOINT ["/etc/relay/entrypoint.sh"]
CMD []

# `npm run ports`, for the compose service live-ports.
FROM ${BASE_IMAGE} AS live-ports
LABEL org.opencontainers.image.title="node-red-tcp-live-ports" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
WORKDIR /opt/node-red-tcp
COPY --from=live-ports-packages /opt/node-red-tcp/node_modules node_modules
COPY LICENSE ./
COPY --from=live-ports-build /opt/node-red-tcp/live-ports ./
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/node-red-tcp/ports.js"]
CMD ["watch"]

# A real init, for signals and orphans: https://github.com/krallin/tini
FROM ${BASE_IMAGE} AS init
RUN --mount=type=secret,id=extra_ca \
    set -eux; \
    ca=/run/secrets/extra_ca; [ -s "$ca" ] || ca=/etc/ssl/certs/ca-certificates.crt; \
    apt-get -o Acquire::https::CAInfo="$ca" update; \
    apt-get -o Acquire::https::CAInfo="$ca" install -y --no-install-recommends tini

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="node-red-tcp" \
      org.opencontainers.image.description="A Node-RED distribution for people who talk to TCP devices" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
WORKDIR /opt/node-red-tcp
COPY --from=init /usr/bin/tini-static /usr/local/bin/tini
RUN install -d -o 1000 -g 0 -m 0770 /data && install -d -o 0 -g 0 -m 0755 /flows
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/node-red-tcp/.compile-cache \
    HOME=/data \
    npm_config_cache=/data/.npm \
    npm_config_update_notifier=false \
    DATA_DIR=/data \
    FLOWS_DIR=/flows \
    EDITOR_BIND=0.0.0.0 \
    STATUS_BIND=0.0.0.0 \
    ASSISTANT_HOST=host.docker.internal \
    PUBLISHED_PORTS=unknown
COPY --from=runtime-packages /opt/node-red-tcp/node_modules node_modules
COPY package.json LICENSE ./
COPY --from=build /opt/node-red-tcp/dist dist
COPY scripts/warm-compile-cache.sh scripts/healthcheck.sh scripts/
RUN scripts/warm-compile-cache.sh
COPY scripts/assistant.sh /usr/local/bin/assistant
COPY examples examples
COPY flows flows
USER 1000:0
VOLUME /data
EXPOSE 1880 1881 9500-9519
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/opt/node-red-tcp/scripts/healthcheck.sh"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "-s", "--", "node", "/opt/node-red-tcp/dist/src/runtime/main.js"]
CMD []
