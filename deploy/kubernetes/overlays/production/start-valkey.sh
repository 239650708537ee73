#!/bin/sh
# Starts as the replica of whom the Sentinels call master; without one, the first pod is.
set -eu
own="$(hostname).valkey"
password="$(cat /run/secrets/valkey/password)"
master=""
for number in 0 1 2; do
    master="$(valkey-cli --no-auth-warning -h "valkey-$number.valkey" -p 26379 -a "$password" --raw \
        sentinel get-master-addr-by-name slugline 2>/dev/null | head -n 1)" || true
    [ -z "$master" ] || break
done
[ -n "$master" ] || master="valkey-0.valkey"
cp /etc/valkey/valkey.conf /data/valkey.conf
{
    echo "requirepass $password"
    echo "masterauth $password"
    echo "replica-announce-ip $own"
    [ "$master" = "$own" ] || echo "replicaof $master 6379"
} >>/data/valkey.conf
exec valkey-server /data/valkey.conf
