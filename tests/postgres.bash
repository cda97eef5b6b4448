# A server of PostgreSQL, for tests: source tests/postgres.bash.

# as_other COMMAND... - as a user that initdb accepts, since it refuses root.
as_other() {
	if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

# postgres_start - a server of our own below $PG, with a socket there and nowhere else.
postgres_start() {
	local bin
	bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -x "$bin/initdb" ] || skip "postgresql is not installed"
	command -v psql >/dev/null || skip "psql is not installed"
	PG=$(mktemp -d /tmp/lh-postgres-XXXXXX)
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$PG"
	(cd / && as_other "$bin/initdb" -D "$PG/data" -U tester -A trust -E UTF8 --locale=C --no-sync >"$PG.log" 2>&1 &&
		as_other "$bin/pg_ctl" -D "$PG/data" -l "$PG/log" -w -t 60 start \
			-o "-c listen_addresses='' -c unix_socket_directories='$PG' -c fsync=off" >>"$PG.log" 2>&1 3>&-) ||
		{ cat "$PG.log"; return 1; }
	PG_CTL=$bin/pg_ctl
	export PGHOST=$PG PGUSER=tester PGDATABASE=postgres
}

# postgres_stop - stop it, if it was started; in teardown.
postgres_stop() {
	[ -n "${PG:-}" ] || return 0
	(cd / && as_other "$PG_CTL" -D "$PG/data" -m immediate stop >/dev/null)
	rm -rf "$PG" "$PG.log"
}
