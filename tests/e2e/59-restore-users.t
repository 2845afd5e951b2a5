#!/bin/sh
# Who restores need not be who backed up: another user of the system, or root.
# Runs as root
PITRKIT_AS_ROOT=yes
. "$(dirname "$0")/../lib/pitrkit.sh"

bin=$(pg_bin 15) || bail "no PostgreSQL 15"
# as USER CMD...
as() {
	as_user=$1
	shift
	env -C / HOME=/ setpriv --reuid="$as_user" \
		--regid="$(id -g "$as_user")" --clear-groups "$@"
}
chmod 711 "$T"
chmod 1777 "$T/s"
port=5500
# start USER DIR: a server of that user's on the port
start() {
	st_user=$1 st_dir=$2
	shift 2
	port=$((port + 1))
	ln -s "$st_dir" "$T/pg/$port"
	as "$st_user" "$bin/pg_ctl" -D "$st_dir" -l "$st_dir/log" -w -t 60 -s \
		-o "-c port=$port -c listen_addresses= -c fsync=off" \
		-o "-c unix_socket_directories=$T/s $*" start
}
stop() {
	as "$1" "$bin/pg_ctl" -D "$2" -m fast -w -t 60 -s stop
}
sql() {
	"$(pg_client)/psql" -XAtq -v ON_ERROR_STOP=1 -h "$T/s" -p "$port" \
		-U postgres -d postgres -c "$1"
}
writes() {
	[ "$(sql "SELECT pg_is_in_recovery()")" = f ]
}

# -- postgres has a cluster, and backs it up ---------------------------------
mkdir "$T/own" "$T/own/spool"
new_key "$T/own/key"
d=$T/own/main
{
	echo "[cluster main]"
	echo "pgdata = $d"
	echo "conninfo = host=$T/s port=5501 user=postgres dbname=postgres"
	echo "key_file = $T/own/key"
	echo "spool_dir = $T/own/spool"
	echo "repo = r1"
	echo "[repo r1]"
	echo "url = file://$T/own/repo"
} >"$T/own/conf"
chown -R postgres:postgres "$T/own"
as postgres "$bin/initdb" -D "$d" -U postgres -A trust -E UTF8 --no-locale -N \
	-g --wal-segsize=1 >"$T/out" 2>&1 || bail "initdb: $(cat "$T/out")"
as postgres mkdir "$T/own/space"
cat >>"$d/postgresql.conf" <<END
shared_buffers = 16MB
wal_level = replica
archive_mode = on
archive_command = '"$BUILD/walpush" -c "$T/own/conf" %p'
END
start postgres "$d" || bail "PostgreSQL does not start"
sql "CREATE TABLESPACE space LOCATION '$T/own/space'"
sql "CREATE TABLE far TABLESPACE space AS
	SELECT g AS v FROM generate_series(1, 1000) g"
oid=$(sql "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
ok "postgres backs up" as postgres "$BUILD/basebackup-ship" -c "$T/own/conf"
sql "CREATE TABLE near AS SELECT g AS v FROM generate_series(1, 500) g"
segment=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
archived() {
	[ "$(sql "SELECT last_archived_wal >= '$segment' COLLATE \"C\"
		FROM pg_stat_archiver")" = t ]
}
wait_for 60 archived || bail "WAL is not archived"
stop postgres "$d"

# owners DIR...: of everything in it, each once
owners() {
	find "$@" -printf '%u:%g\n' | sort -u
}
modes() {
	(cd "$1" && find . -printf '%y %m %p\n' | sort -k3)
}
# came_up NAME USER DIR: it starts, recovers and holds everything
came_up() {
	ok "$1: pg_ctl starts it" start "$2" "$3" -c archive_mode=off
	wait_for 60 writes || fail "$1: it does not promote"
	is "$1: all is there" "$(sql "SELECT
		(SELECT sum(v) FROM near) || ' ' || (SELECT sum(v) FROM far)")" \
		"125250 500500"
	stop "$2" "$3"
}
# restore USER CONF DIR [OPTION...]: DIR/data and DIR/space
restore() {
	re_user=$1 re_conf=$2 re_dir=$3
	shift 3
	as "$re_user" "$BUILD/pitr-restore" -c "$re_conf" \
		--target-dir "$re_dir/data" --tablespace "$oid=$re_dir/space" "$@"
}
# place NAME OWNER
place() {
	mkdir "$T/$1"
	chown "$2" "$T/$1"
}

# -- postgres restores -------------------------------------------------------
place self postgres
ok "postgres restores" restore postgres "$T/own/conf" "$T/self"
is "all of it is postgres's" "$(owners "$T/self")" "postgres:postgres
postgres:root"
like "which says what comes next" "$(cat "$T/out")" "pg_ctl"
unlike "who need not give it to anybody" "$(cat "$T/out")" "chown"

# -- another user restores, with a key and a copy of the repository ----------
mkdir "$T/other"
cp -r "$T/own/repo" "$T/own/key" "$T/own/conf" "$T/other/"
mkdir "$T/other/spool"
sed -i "s|$T/own/|$T/other/|; /^conninfo/d; /^pgdata/d" "$T/other/conf"
chown -R nobody:nogroup "$T/other"
nok "the repository of another is not read" restore nobody "$T/own/conf" \
	"$T/other"
ok "another user restores" restore nobody "$T/other/conf" "$T/other"
is "all of it is that user's" \
	"$(owners "$T/other/data" "$T/other/space")" "nobody:nogroup"
modes "$T/other/data" >"$T/modes.other"
modes "$T/self/data" >"$T/modes.data"
ok "with the same modes" diff "$T/modes.data" "$T/modes.other"
is "which let the group read, as the cluster did" \
	"$(stat -c %a "$T/other/data" "$T/other/data/global/pg_control" \
		"$T/other/data/postgresql.auto.conf" "$T/other/space")" "750
640
640
750"
came_up "another user" nobody "$T/other/data"

# -- root restores -----------------------------------------------------------
place root root
chmod 755 "$T/root"
ok "root restores" restore root "$T/own/conf" "$T/root" --json
like "JSON tells what root has to do" "$(cat "$T/out")" '"give it to .*chown'
is "all of it is root's" "$(owners "$T/root")" "root:root"
modes "$T/root/data" >"$T/modes.root"
ok "with the same modes" diff "$T/modes.data" "$T/modes.root"
nok "PostgreSQL does not start from it" start postgres "$T/root/data"
chown -R postgres:postgres "$T/root/data" "$T/root/space"
came_up "given to postgres" postgres "$T/root/data"

# -- root as somebody --------------------------------------------------------
place run postgres
ok "root restores by runuser" runuser -u postgres -- \
	"$BUILD/pitr-restore" -c "$T/own/conf" --target-dir "$T/run/data" \
	--tablespace "$oid=$T/run/space" --target-immediate --dry-run
ok "and not only in a dry run" runuser -u postgres -- \
	"$BUILD/pitr-restore" -c "$T/own/conf" --target-dir "$T/run/data" \
	--tablespace "$oid=$T/run/space"
is "all of it is postgres's" \
	"$(owners "$T/run/data" "$T/run/space")" "postgres:postgres"
modes "$T/run/data" >"$T/modes.run"
ok "with the same modes" diff "$T/modes.data" "$T/modes.run"
came_up "by runuser" postgres "$T/run/data"
done_testing
