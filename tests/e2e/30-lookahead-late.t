#!/bin/sh
# Much WAL waits, and a second repository hangs that the quorum does not need.
# Once each file waited for it with a thread and its memory: 150 files took 100
# seconds, and files that do not compress a third of a gigabyte.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

s3_start
s3_bucket bucket
proxy_start p
new_key "$T/key"
wal_cluster "$T/pg"
write_conf "$T/conf" "$T/pg" "$T/key" "file:$T/repo" \
	"s3@$PROXY_URL:$bucket/x" -- "push_quorum = 1" "push_deadline = 20s"
pg_set "$T/pg" "archive_mode = on" "archive_command = 'false'"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 150 >"$T/names"

drained() {
	! ls "$T/pg/pg_wal/archive_status" | grep -q 'ready$'
}
proxy_rules p '[{"method":"PUT","action":"hang"}]'
pg_psql "$T/pg" "alter system set archive_command =
	'\"$BUILD/walpush\" -c \"$T/conf\" %p'"
pg_psql "$T/pg" "select pg_reload_conf()" >/dev/null
ok "all is archived" wait_for 60 drained
is "in the one that answers" \
	"$(find "$T/repo" -type f -name '0*' | wc -l)" 150
# Those that were on their way when the first was late, and a few that try
# whether it is back.
atmost "few were sent to the one that hangs" \
	"$(proxy_count p '^PUT .*/wal/.* hang')" 60
like "what it did not get is told" "$(cat "$T/pg.log")" \
	"durable, but: r2: got nothing"

# What waited there holds it up until the time of those files is over.
proxy_rules p
far_gets() {
	far_name=$(wal_make "$T/pg" 1) || return 1
	wait_for 20 pg_archived "$T/pg" "$far_name" || return 1
	s3ctl list "$bucket" | grep -q "/$far_name\$"
}
ok "when it answers again, it gets what comes" wait_for 60 far_gets
pg_stop "$T/pg" || bail "no stop"
ok "and no worker stays" wait_for 10 gone walpush

done_testing
