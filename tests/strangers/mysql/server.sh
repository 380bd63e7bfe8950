#!/bin/sh
# Makes and runs a MariaDB server of its own, on 127.0.0.1 only, until it is killed.
#   server.sh DIR PORT     everything is in DIR; its socket is DIR/s, root's without a password
set -eu
dir=$1 port=$2
user=$(id -un)
if [ "$(id -u)" = 0 ]; then  # the server refuses to run as root
  user=mysql
  chown mysql "$dir"
fi
mariadb-install-db --no-defaults --user="$user" --datadir="$dir/data" --auth-root-authentication-method=normal \
  --skip-test-db >"$dir/install.log" 2>&1
exec mariadbd --no-defaults --user="$user" --datadir="$dir/data" --socket="$dir/s" --bind-address=127.0.0.1 --port="$port" \
  --innodb-flush-log-at-trx-commit=0 >"$dir/server.log" 2>&1
