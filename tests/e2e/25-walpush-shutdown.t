#!/bin/sh
# PostgreSQL waits for a running archive_command when it is stopped, without
# any limit of its own: a store that hangs must not keep a server from stopping.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
proxy_start p
write_conf "$T/conf" "$T/pg" "$T/key" "s3@$PROXY_URL:$bucket/x" -- \
	"push_deadline = 9s"
pg_archive "$T/pg" "$T/conf"
pg_start "$T/pg" || bail "no server"
first=$(wal_make "$T/pg" 1)
ok "the archive works" wait_for 20 pg_archived "$T/pg" "$first"

proxy_rules p '[{"method":"PUT","action":"hang"}]'
requests=$(proxy_count p '^PUT')
last=$(wal_make "$T/pg" 3 | tail -n 1)
hangs() {
	[ "$(proxy_count p '^PUT')" -gt "$requests" ]
}
wait_for 20 hangs || bail "no request"
start=$(now_ms)
ok "a fast shutdown while the store hangs" pg_stop "$T/pg" fast
took=$(($(now_ms) - start))
# The call that ran when the stop began takes its 9 s. PostgreSQL then tries
# until it has failed six times, with a second between: 1.5 s each.
intime "is over within the deadline of the call that ran and one more" \
	$took 24
unlike "and no archiver died of it" "$(cat "$T/pg.log")" \
	"archiver process.*(terminated|exited)"

proxy_rules p
pg_start "$T/pg" || bail "no server"
ok "when the store is back all of it is archived" \
	wait_for 60 pg_archived "$T/pg" "$last"
is "and nothing is missing" "$(ls "$T/pg/pg_wal/archive_status" |
	grep -c ready)" 0
requests=$(proxy_count p '^PUT')
proxy_rules p '[{"method":"PUT","action":"hang"}]'
wal_make "$T/pg" 1 >/dev/null
wait_for 20 hangs || bail "no request"
gone() {
	! pgrep -f "^[^ ]*walpush -c $T/conf" >/dev/null
}
nok "walpush is at work" gone
ok "an immediate shutdown while the store hangs" pg_stop "$T/pg" immediate
ok "leaves no walpush behind for longer than its deadline" wait_for 12 gone

done_testing
