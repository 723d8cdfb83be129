#!/bin/sh
# Builds both servers and starts the whole product on this machine.
set -eu

cd "$(dirname "$0")/.."

gradle :locker-server:shadowJar :notify-service:shadowJar
docker compose up --build --detach
docker compose ps
