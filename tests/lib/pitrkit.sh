# What every end-to-end test needs.  A test is a POSIX sh script that begins
#
#	#!/bin/sh
#	. "$(dirname "$0")/../lib/pitrkit.sh"
#
# and ends with done_testing.  With the line "# Runs as root" and
# PITRKIT_AS_ROOT=yes before the library is read it is run by root, and starts
# PostgreSQL by itself; nobody else can run it.  It runs alone (sh tests/e2e/NAME.t, as any user
# but root) or under tests/run.  When it ends, however it ends, everything
# that was started through these functions is stopped and $T is removed
# (PITRKIT_KEEP=1 keeps it).
#
# Variables
#	TOP      top of the source tree
#	BUILD    where the programs are, absolute; first in PATH
#	T        a temporary directory of this test's own
#	PITRKIT_SUITE   check or long
#
# Test results (each prints one TAP line and returns 0 if it was ok)
#	ok NAME CMD...            CMD succeeds
#	nok NAME CMD...           CMD fails (with a status below 126)
#	exits N NAME CMD...       CMD ends with exactly status N
#	is NAME GOT WANT          equal strings
#	isnt NAME GOT OTHER
#	like NAME GOT ERE         some line of GOT matches the extended regex,
#	                          which is not empty
#	unlike NAME GOT ERE
#	same NAME FILE1 FILE2     equal bytes
#	atmost NAME N LIMIT, atleast NAME N LIMIT     integers
#	intime NAME MS SECONDS    what has to end after SECONDS, for it would else
#	                          wait for ever, took MS milliseconds; half a minute
#	                          is given to a machine that is slow or busy
#	pass NAME, fail NAME
#	diag TEXT...              a comment
#	bail TEXT...              nothing further makes sense: ends the test
#	done_testing              the plan; without it the test counts as failed
# CMD may be a shell function.  Its output is in $T/out and $T/err after ok,
# nok and exits, and is shown when they fail; run CMD... does the same without
# a TAP line and sets STATUS.
#
# Waiting and time
#	wait_for SECONDS CMD...   until CMD succeeds; 1 when the time is over.  The
#	                          SECONDS are those of a quiet machine: it waits ten
#	                          times as long before it gives up
#	now_ms                    prints milliseconds since 1970
#	bg NAME CMD...            in the background; output in $T/NAME.log
#	bg_pid NAME               prints its process id
#	bg_stop NAME [SIGNAL]     ends it (TERM), waits, KILL after 10 s
#
# Files
#	flip FILE [OFFSET]        changes one bit of it, in the middle if it is
#	                          not said where
#	preload NAME              compiles tests/lib/NAME.c, which LD_PRELOAD takes
#	                          as $T/NAME.so
#
# PostgreSQL (only Unix sockets, in $T/s; a port number each)
#	pg_bin VERSION            prints the directory of initdb, pg_ctl, ...
#	pg_new VERSION DIR [INITDB-ARG...]   initdb (no fsync, C, trust)
#	pg_set DIR LINE...        adds lines to postgresql.conf
#	pg_archive DIR CONF       archive_mode = on with walpush -c CONF, and
#	                          restore_command with walfetch -c CONF
#	pg_start DIR [POSTGRES-ARG...]   starts and waits; log in DIR.log.
#	                          Returns 1 when it does not come up
#	pg_stop DIR [fast|immediate|smart]
#	pg_port DIR               prints the port of a running server
#	pg_conninfo DIR           prints a libpq connection string
#	pg_psql DIR SQL [PSQL-ARG...]    prints unaligned rows, stops on errors
#	pg_switch DIR             new segment; prints the name of the full one
#	pg_archived DIR NAME      0 when pg_stat_archiver has passed NAME
#	PG_FSYNC=on               set before pg_start for fsync (default off)
#
# S3
#	s3_start                  uses the run's server or starts one; sets the
#	                          variables of tests/servers/ceph and S3_DIR
#	s3_bucket VAR [plain|versioned|lock]  makes a fresh bucket, sets VAR
#	s3ctl VERB ARG...         tests/lib/s3ctl.py with the server filled in
#	s3_keys BUCKET [PREFIX]   prints the keys of its objects
#	proxy_start NAME [tls]    a fault proxy before it: sets PROXY_URL,
#	                          and PROXY_LOG
#	proxy_rules NAME [JSON]   sets its rules, see faultproxy.py; none: clear
#	proxy_count NAME ERE      prints how many log lines match
#
# Settings
#	new_key FILE              repo-key generate FILE
#	write_conf FILE PGDATA KEYFILE REPO... [-- LINE...]
#	    One cluster "main" with repositories r1, r2, ...; each REPO is
#	    file:DIR, s3:BUCKET/PREFIX (over TLS, CA pinned down by ca_file),
#	    or s3@URL:BUCKET/PREFIX (another endpoint; http:// gets insecure).
#	    KEYFILE - means encryption = off.  LINEs go to the cluster section.
#	    spool_dir is $T/spool.  conninfo is there if PGDATA's server runs.
#	conf_proxied FROM TO      the same settings through the proxy that was
#	                          started last
#	conf_user FROM TO BUCKET NAME RIGHTS   the same settings with the
#	    credentials of a new user; RIGHTS as of "tests/servers/ceph grant"

set -u
unset CDPATH PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGDATA PGSERVICE \
	PGOPTIONS PITRKIT_CONF
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export LC_ALL=C TZ=UTC
umask 077

TOP=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
PYTHON=${PITRKIT_PYTHON:-/usr/bin/python3}
PITRKIT_SUITE=${PITRKIT_SUITE:-check}
PATH=$BUILD:$PATH
export PATH BUILD PITRKIT_SUITE

tap_count=0 tap_failed=0 tap_done=

bail() {
	echo "Bail out! $*"
	exit 99
}

cannot_run() {
	echo "1..0 # SKIP $*"
	exit 0
}

if [ "$(id -u)" -ne 0 ]; then
	[ -z "${PITRKIT_AS_ROOT:-}" ] || cannot_run "wants root: tests/run"
else
	[ -n "${PITRKIT_AS_ROOT:-}" ] ||
		bail "PostgreSQL does not run as root: use tests/run"
fi
tap_name=$(basename "$0" .t)
T=$(mktemp -d "${TMPDIR:-/tmp}/$(echo "$tap_name" | cut -c1-20).XXXXXX") ||
	bail "no temporary directory"
T=$(cd "$T" && pwd -P)
# sockaddr_un holds 107 characters; the longest name is $T/s/.s.PGSQL.5432.lock
[ ${#T} -le 80 ] || bail "$T is too long a path for sockets"
export PITRKIT_T="$T" # marks the processes of this test
mkdir "$T/s" "$T/spool" "$T/bg" "$T/pg"

# -- ending ----------------------------------------------------------------

# end_pid PID SIGNAL TENTHS: until it is gone, KILL after the time
end_pid() {
	kill -"$2" "$1" 2>/dev/null || return 0
	end_left=$3
	while kill -0 "$1" 2>/dev/null; do
		# A child that has ended but was not waited for.
		case $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) in
		Z | '') return 0 ;;
		esac
		end_left=$((end_left - 1))
		[ $end_left -ne 0 ] || kill -KILL "$1" 2>/dev/null
		[ $end_left -gt -50 ] || return 1
		sleep 0.1
	done
}

# Whatever else the test left running. It would keep prove waiting, too, if it
# had the test's standard output.
end_leftovers() {
	for tap_sig in none TERM KILL; do
		tap_left=
		for tap_pid in $(grep -lzxF "PITRKIT_T=$T" \
			/proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n'); do
			[ "$tap_pid" -ne $$ ] && [ -d "/proc/$tap_pid" ] ||
				continue
			tap_left=yes
			if [ $tap_sig = none ]; then
				diag "still running at the end: $tap_pid $(
					tr '\0' ' ' 2>/dev/null \
						<"/proc/$tap_pid/cmdline")"
			else
				kill -$tap_sig "$tap_pid" 2>/dev/null
			fi
		done
		[ -n "$tap_left" ] || break
		[ $tap_sig = none ] || sleep 0.5
	done
}

# The ends of the servers' logs and of what ran in the background.
show_logs() {
	for tap_f in $(ls -t "$T"/*.log 2>/dev/null | head -n 6); do
		[ -s "$tap_f" ] || continue
		diag "$tap_f:"
		tail -n 8 "$tap_f" | cut -c1-300 | sed 's/^/#   /'
	done
}

tap_cleanup() {
	tap_status=$?
	trap '' HUP INT TERM
	for tap_f in "$T"/bg/*; do
		[ -f "$tap_f" ] && end_pid "$(cat "$tap_f")" TERM 50
	done
	for tap_f in "$T"/pg/*; do
		[ -L "$tap_f" ] || continue
		tap_pid=$(head -n 1 "$tap_f/postmaster.pid" 2>/dev/null) &&
			[ -n "$tap_pid" ] &&
			grep -qs postgres "/proc/$tap_pid/comm" &&
			end_pid "$tap_pid" QUIT 50
	done
	[ ! -d "$T/ceph" ] || "$TOP/tests/servers/ceph" stop "$T/ceph"
	end_leftovers
	[ -n "$tap_done" ] && [ $tap_failed -eq 0 ] || show_logs
	cd /
	if [ -n "${PITRKIT_KEEP:-}" ]; then
		echo "# kept: $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	if [ -n "$tap_done" ] && [ $tap_failed -gt 0 ]; then
		echo "# $tap_failed of $tap_count failed"
		exit 1
	fi
	[ -n "$tap_done" ] || [ $tap_status -ne 0 ] || tap_status=98
	exit $tap_status
}
trap tap_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# -- results ---------------------------------------------------------------

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	return 1
}

run() {
	STATUS=0
	"$@" >"$T/out" 2>"$T/err" || STATUS=$?
}

show_run() {
	diag "command: $*"
	diag "exit status: $STATUS"
	tail -n 30 "$T/out" | sed 's/^/# stdout: /'
	tail -n 30 "$T/err" | sed 's/^/# stderr: /'
	return 1
}

ok() {
	tap_n=$1
	shift
	run "$@"
	if [ $STATUS -eq 0 ]; then
		pass "$tap_n"
	else
		fail "$tap_n"
		show_run "$@"
	fi
}

nok() {
	tap_n=$1
	shift
	run "$@"
	if [ $STATUS -ne 0 ] && [ $STATUS -lt 126 ]; then
		pass "$tap_n"
	else
		fail "$tap_n"
		show_run "$@"
	fi
}

exits() {
	tap_want=$1 tap_n=$2
	shift 2
	run "$@"
	if [ $STATUS -eq "$tap_want" ]; then
		pass "$tap_n"
	else
		fail "$tap_n"
		diag "wanted status $tap_want"
		show_run "$@"
	fi
}

is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "got:  $2"
		diag "want: $3"
		return 1
	fi
}

isnt() {
	if [ "$2" != "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "got what it must not be: $2"
		return 1
	fi
}

like() {
	if [ -n "$3" ] && printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1"
		diag "got:     $2"
		diag "matches: $3"
		return 1
	fi
}

unlike() {
	if ! printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1"
		diag "got:            $2"
		diag "must not match: $3"
		return 1
	fi
}

same() {
	if cmp "$2" "$3" >"$T/out" 2>&1; then
		pass "$1"
	else
		fail "$1"
		diag "$(cat "$T/out")"
		return 1
	fi
}

atmost() {
	if [ "$2" -le "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "$2 is more than $3"
		return 1
	fi
}

atleast() {
	if [ "$2" -ge "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "$2 is less than $3"
		return 1
	fi
}

intime() {
	atmost "$1" "$2" $((($3 + 30) * 1000))
}

done_testing() {
	[ $tap_count -gt 0 ] || bail "nothing was tested"
	echo "1..$tap_count"
	tap_done=yes
	exit 0
}

# -- waiting, processes ----------------------------------------------------

wait_for() {
	wait_end=$(($(date +%s) + $1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $wait_end ] || return 1
		sleep 0.1
	done
}

now_ms() {
	date +%s%3N
}

bg() {
	bg_name=$1
	shift
	"$@" >>"$T/$bg_name.log" 2>&1 </dev/null &
	echo $! >"$T/bg/$bg_name"
}

bg_pid() {
	cat "$T/bg/$1"
}

bg_stop() {
	end_pid "$(bg_pid "$1")" "${2:-TERM}" 100
	bg_status=$?
	rm -f "$T/bg/$1"
	return $bg_status
}

# -- files -----------------------------------------------------------------

flip() {
	flip_at=${2:-$(($(stat -c %s "$1") / 2))}
	flip_b=$(od -An -tu1 -j "$flip_at" -N 1 "$1" | tr -d ' ')
	[ -n "$flip_b" ] || bail "flip: no byte $flip_at in $1"
	printf "\\$(printf %o $((flip_b ^ 16)))" |
		dd of="$1" bs=1 seek="$flip_at" conv=notrunc status=none
}

preload() {
	${CC:-cc} -shared -fPIC -O1 -o "$T/$1.so" "$TOP/tests/lib/$1.c" ||
		bail "no compiler"
}

# -- PostgreSQL ------------------------------------------------------------

pg_bin() {
	"$TOP/tests/servers/postgres" "$1"
}

# The directory of the programs that serve a data directory.
pg_bin_of() {
	pg_bin "$(cat "$1/PG_VERSION")"
}

pg_client() {
	echo /usr/lib/postgresql/15/bin
}

pg_new() {
	pg_v=$1 pg_d=$2
	shift 2
	pg_b=$(pg_bin "$pg_v") || bail "no PostgreSQL $pg_v"
	"$pg_b/initdb" -D "$pg_d" -U postgres -A trust -E UTF8 --no-locale -N \
		"$@" >"$pg_d.log" 2>&1 || {
		diag "$(tail -n 20 "$pg_d.log")"
		bail "initdb of PostgreSQL $pg_v failed"
	}
	pg_set "$pg_d" "shared_buffers = 16MB" "max_connections = 20" \
		"max_wal_senders = 5" "wal_level = replica" \
		"log_min_messages = info" "log_line_prefix = '%m [%p] '" \
		"max_wal_size = 256MB" "timezone = UTC"
}

pg_set() {
	pg_d=$1
	shift
	printf '%s\n' "$@" >>"$pg_d/postgresql.conf"
}

pg_archive() {
	pg_set "$1" "archive_mode = on" \
		"archive_command = '\"$BUILD/walpush\" -c \"$2\" %p'" \
		"restore_command = '\"$BUILD/walfetch\" -c \"$2\" %f %p'"
}

pg_start() {
	pg_d=$1
	shift
	pg_b=$(pg_bin_of "$pg_d") || bail "no server for $pg_d"
	# Numbered by a file, so that a subshell's server counts, too.
	echo x >>"$T/ports"
	pg_p=$((5431 + $(wc -l <"$T/ports")))
	ln -s "$pg_d" "$T/pg/$pg_p"
	pg_o="-c port=$pg_p -c listen_addresses= -c unix_socket_directories=$T/s"
	pg_o="$pg_o -c fsync=${PG_FSYNC:-off}"
	for pg_a in "$@"; do
		pg_o="$pg_o '$pg_a'"
	done
	"$pg_b/pg_ctl" -D "$pg_d" -l "$pg_d.log" -o "$pg_o" -w -t 60 -s start \
		>"$pg_d.start" 2>&1 </dev/null || {
		diag "$(tail -n 5 "$pg_d.log")"
		return 1
	}
}

pg_stop() {
	"$(pg_bin_of "$1")/pg_ctl" -D "$1" -m "${2:-fast}" -w -t 90 -s stop \
		>"$1.stop" 2>&1
}

pg_port() {
	sed -n 4p "$1/postmaster.pid"
}

pg_conninfo() {
	echo "host=$T/s port=$(pg_port "$1") user=postgres dbname=postgres"
}

pg_psql() {
	pg_d=$1 pg_s=$2
	shift 2
	"$(pg_client)/psql" -XAtq -v ON_ERROR_STOP=1 "$@" \
		-d "$(pg_conninfo "$pg_d")" -c "$pg_s" </dev/null
}

pg_switch() {
	pg_psql "$1" "select pg_walfile_name(pg_switch_wal())"
}

# A name that has been passed counts as well: the archiver does not look back.
pg_archived() {
	[ "$(pg_psql "$1" "select last_archived_wal >= '$2' collate \"C\"
		from pg_stat_archiver
		where last_archived_wal ~ '^[0-9A-F]{24}$'")" = t ]
}

# -- S3 --------------------------------------------------------------------

s3_start() {
	S3_DIR=${PITRKIT_CEPH_DIR:-$T/ceph}
	if [ -z "${PITRKIT_CEPH_DIR:-}" ]; then
		PITRKIT_OWNER=$$ "$TOP/tests/servers/ceph" start "$S3_DIR" ||
			bail "the S3 server does not start"
	fi
	. "$S3_DIR/env" || bail "the S3 server is not there"
}

s3_buckets=0
s3_bucket() {
	s3_buckets=$((s3_buckets + 1))
	s3_name=$(echo "$tap_name" | tr -c 'a-z0-9\n' -)-$$-$s3_buckets
	s3ctl mkbucket "$s3_name" "${2:-plain}" || bail "no bucket"
	eval "$1=\$s3_name"
}

s3ctl() {
	"$PYTHON" "$TOP/tests/lib/s3ctl.py" "$S3_DIR" "$@"
}

s3_keys() {
	s3ctl list "$@" | cut -f2
}

proxy_start() {
	proxy_tls="${2:+--cert $S3_CERT_FILE --key $S3_CERT_KEY}"
	PROXY_LOG=$T/$1.requests
	: >"$PROXY_LOG"
	bg "$1" "$PYTHON" "$TOP/tests/lib/faultproxy.py" \
		--upstream "$S3_HTTP" --rules "$T/$1.rules" \
		--log "$PROXY_LOG" --port-file "$T/$1.port" \
		--ceph "$S3_DIR" --owner $$ $proxy_tls
	wait_for 10 test -s "$T/$1.port" ||
		bail "fault proxy: $(cat "$T/$1.log")"
	PROXY_URL=http${2:+s}://127.0.0.1:$(cat "$T/$1.port")
}

proxy_rules() {
	printf '%s\n' "${2-}" >"$T/$1.rules.new"
	mv "$T/$1.rules.new" "$T/$1.rules"
}

proxy_count() {
	grep -Ec -e "$2" "$T/$1.requests"
	return 0
}

# -- settings --------------------------------------------------------------

new_key() {
	"$BUILD/repo-key" generate "$1" >"$T/out" 2>&1 ||
		bail "repo-key generate: $(cat "$T/out")"
}

conf_repo() {
	echo
	echo "[repo $1]"
	case $2 in
	file:*)
		echo "url = file://${2#file:}"
		return
		;;
	s3:*)
		conf_url=$S3_HTTPS conf_place=${2#s3:}
		;;
	s3@*)
		conf_url=${2#s3@} conf_place=${2##*:}
		conf_url=${conf_url%:*}
		;;
	*)
		bail "write_conf: what is $2?"
		;;
	esac
	echo "url = s3://$conf_place"
	echo "endpoint = $conf_url"
	echo "region = $S3_REGION"
	echo "addressing = path"
	case $conf_url in
	http://*) echo "insecure = yes" ;;
	*) echo "ca_file = $S3_CA_FILE" ;;
	esac
	echo "access_key_id = $S3_ACCESS_KEY_ID"
	echo "secret_access_key_file = $S3_SECRET_FILE"
}

write_conf() {
	conf_file=$1 conf_data=$2 conf_key=$3
	shift 3
	{
		echo "[cluster main]"
		echo "pgdata = $conf_data"
		if [ -s "$conf_data/postmaster.pid" ]; then
			echo "conninfo = $(pg_conninfo "$conf_data")"
		fi
		if [ "$conf_key" = - ]; then
			echo "encryption = off"
		else
			echo "key_file = $conf_key"
		fi
		echo "spool_dir = $T/spool"
		conf_n=0 conf_repos=
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			conf_n=$((conf_n + 1))
			conf_repos="$conf_repos $1"
			echo "repo = r$conf_n"
			shift
		done
		[ $# -eq 0 ] || shift
		[ $# -eq 0 ] || printf '%s\n' "$@"
		conf_n=0
		for conf_r in $conf_repos; do
			conf_n=$((conf_n + 1))
			conf_repo "r$conf_n" "$conf_r"
		done
	} >"$conf_file"
}

conf_proxied() {
	sed "s|^endpoint = .*|endpoint = $PROXY_URL|
		s|^ca_file = .*|insecure = yes|" "$1" >"$2.new" &&
		mv "$2.new" "$2"
}

conf_user() {
	eval "$("$TOP/tests/servers/ceph" user "$S3_DIR" "$4$$")"
	"$TOP/tests/servers/ceph" grant "$S3_DIR" "$3" "$4$$" "$5" ||
		bail "no grant"
	sed -e "s|^access_key_id = .*|access_key_id = $ACCESS|" \
		-e "s|^secret_access_key_file = .*|secret_access_key_file = $SECRET_FILE|" \
		"$1" >"$2"
}
