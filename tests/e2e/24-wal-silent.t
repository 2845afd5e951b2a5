#!/bin/sh
# Of several repositories the first hangs: the next one is asked while there is
# time, and absence is still proven by all of them alone.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"

new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 4 >"$T/names"
s3_start
s3_bucket bucket
proxy_start p tls
name() {
	sed -n "$1p" "$T/names"
}
write_conf "$T/conf" "$T/pg" "$T/key" "s3@$PROXY_URL:$bucket/a" \
	"file:$T/repo" -- "push_quorum = 2" "fetch_deadline = 20s"
for n in 1 2 3 4; do
	in_dir "$T/pg" walpush -c "$T/conf" "pg_wal/$(name $n)" || bail "no push"
done
fetch() {
	in_dir "$T/pg" walfetch -c "$T/conf" "$@"
}

# A third of the time is more than the first one gets.
hang='[{"method":"GET","action":"hang"}]'
proxy_rules p "$hang"
sed -i 's/^fetch_deadline.*/fetch_deadline = 6s/' "$T/conf"
exits 0 "the second repository delivers while the first hangs" \
	fetch "$(name 1)" "$T/got"
same "what was pushed" "$T/got" "$T/pg/pg_wal/$(name 1)"
is "the first was asked" "$(proxy_count p '^GET .*/wal/.*hang')" 1
exits 200 "what is not there is not said to be absent while it hangs" \
	fetch 000000010000000000000FFF "$T/none"
proxy_rules p
exits 1 "nor said otherwise when all answer" \
	fetch 000000010000000000000FFF "$T/none"
sed -i 's/^fetch_deadline.*/fetch_deadline = 60s/' "$T/conf"

# -- the worker of a recovery learns it -------------------------------------------
: >"$T/pg/recovery.signal"
proxy_rules p "$hang"
for n in 1 2 3 4; do
	exits 0 "segment $n of a recovery" fetch "$(name $n)" pg_wal/got
	same "as it was" "$T/pg/pg_wal/got" "$T/pg/pg_wal/$(name $n)"
done
rm "$T/pg/recovery.signal"
ok "and the worker ends" wait_for 20 gone walfetch
pg_stop "$T/pg"
done_testing
