#!/bin/sh
set -eu
own="$(hostname).valkey"
password="$(cat /run/secrets/valkey/password)"
master=""
for number in 0 1 2; do
    master="$(valkey-cli --no-auth-warning -h "valkey-$number.valkey" -p 26379 -a "$password" --raw \
        sentinel get-master-addr-by-name slugline 2>/dev/null | head -n 1)" || true
    [ -z "$master" ] || break
done
cat >/data/sentinel.conf <<END
port 26379
dir /data
requirepass $password
sentinel sentinel-pass $password
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $own
sentinel monitor slugline ${master:-valkey-0.valkey} 6379 2
sentinel auth-pass slugline $password
sentinel down-after-milliseconds slugline 5000
sentinel failover-timeout slugline 30000
END
exec valkey-server /data/sentinel.conf --sentinel
