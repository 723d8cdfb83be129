#!/bin/sh
# Tells the depots that there is a new release.
set -eu

curl --fail --max-time 10 --data "release=$(git describe --tags)" https://depot.nestbox.example/releases
