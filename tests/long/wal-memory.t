#!/bin/sh
# The workers of walpush and walfetch stay below 128 MiB with WAL that does not
# compress, as many jobs as can be asked for and a store that is far away, with
# one repository and two, and segments of 16 and 64 MB.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

limit=$((128 << 10))
new_key "$T/key"
s3_start
s3_bucket bucket
proxy_start far tls
head -c 8000000 /dev/urandom >"$T/noise"

# peak PROGRAM: the most KiB that its worker had resident
peak() {
	cat /proc/$(lingering "$1" | head -n 1)/status 2>/dev/null |
		awk '/VmHWM/ { print $2 }'
}

# noise DIR SIZE-MB N: N segments of records that do not compress
noise() {
	noise_n=$3
	while [ "$noise_n" -gt 0 ]; do
		pg_psql "$1" "select pg_logical_emit_message(false, 'noise',
			pg_read_binary_file('$T/noise', g.i % 7, 7000000))
			from generate_series(1, $2 / 7) g(i)" >/dev/null
		pg_switch "$1"
		noise_n=$((noise_n - 1))
	done
}

drained() {
	[ -z "$(find "$d/pg_wal/archive_status" -name '*.ready')" ]
}

# drain LABEL REPO...: all that is there, by PostgreSQL's archiver
drain() {
	drain_label=$1
	shift
	write_conf "$T/conf" "$d" "$T/key" "$@" -- "push_jobs = 8" \
		"push_linger = 60s" "push_deadline = 120s" \
		"fetch_jobs = 8" "fetch_ahead = 2GB" "${quorum-}"
	for n in $(cat "$T/names"); do
		rm -f "$d/pg_wal/archive_status/$n.done"
		: >"$d/pg_wal/archive_status/$n.ready"
	done
	pg_psql "$d" "alter system set archive_command =
		'$BUILD/walpush -c $T/conf %p'"
	pg_psql "$d" "select pg_reload_conf()" >/dev/null
	ok "$drain_label: all is archived" wait_for 400 drained
	drain_peak=$(peak walpush)
	atmost "$drain_label: KiB of walpush's worker" \
		"${drain_peak:-no worker}" $limit
	diag "$drain_label: ${drain_peak:-} KiB"
	pg_psql "$d" "alter system set archive_command = 'false'"
	pg_psql "$d" "select pg_reload_conf()" >/dev/null
	kill_lingering walpush KILL
	rm -rf "$T/spool/"*
}

# fetch LABEL: all of it back, one call each, as recovery asks
fetch() {
	: >"$d/recovery.signal"
	fetch_odd=0
	for n in $(cat "$T/names"); do
		in_dir "$d" walfetch -c "$T/conf" "$n" pg_wal/got &&
			cmp -s "$d/pg_wal/$n" "$d/pg_wal/got" ||
			fetch_odd=$((fetch_odd + 1))
		rm -f "$d/pg_wal/got"
	done
	is "$1: each segment comes back as it was" $fetch_odd 0
	fetch_peak=$(peak walfetch)
	atmost "$1: KiB of walfetch's worker" "${fetch_peak:-no worker}" $limit
	diag "$1: ${fetch_peak:-} KiB"
	rm -f "$d/recovery.signal"
	wait_for 20 gone walfetch || fail "$1: the worker stays"
}

for size in 16 64; do
	d=$T/pg$size
	pg_new 15 "$d" --wal-segsize=$size
	pg_set "$d" "archive_mode = on" "archive_command = 'false'" \
		"wal_keep_size = 2GB" "max_wal_size = 4GB" "autovacuum = off" \
		"checkpoint_timeout = 1h" "wal_compression = off"
	pg_start "$d" || bail "no server"
	n=$((256 / size + 3))
	noise "$d" $size $n >"$T/names"
	drain "$size MB" "s3:$bucket/near$size"
	fetch "$size MB"
	proxy_rules far '[{"method":"PUT","action":"latency","ms":700}]'
	drain "$size MB, far away" "s3@$PROXY_URL:$bucket/far$size"
	proxy_rules far '[{"method":"GET","action":"latency","ms":300}]'
	fetch "$size MB, far away"
	proxy_rules far
	drain "$size MB, two repositories" "s3:$bucket/a$size" "file:$T/repo"
	# Each file that waited there kept its memory, once.
	proxy_rules far '[{"method":"PUT","action":"hang"}]'
	quorum="push_quorum = 1"
	drain "$size MB, a second one hangs" "file:$T/repo2" \
		"s3@$PROXY_URL:$bucket/b$size"
	quorum=
	proxy_rules far
	pg_stop "$d"
	rm -rf "$T/repo" "$T/repo2"
done
done_testing
