#!/bin/sh
exec valkey-cli --no-auth-warning -a "$(cat /run/secrets/valkey/password)" -p "$1" ping
