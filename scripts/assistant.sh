#!/bin/sh
# `assistant` inside the image: docker compose exec node-red assistant connect 127.0.0.1:9503
exec node /opt/node-red-tcp/dist/scripts/assistant.js "$@"
