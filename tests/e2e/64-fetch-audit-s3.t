#!/bin/sh
# What recovery reads from a bucket is on record. Credentials that may only read
# recover all the same, with one warning; so does a server whose records hang,
# which are then written behind the next one.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"
. "$(dirname "$0")/../lib/relay.sh"
. "$(dirname "$0")/../lib/fetchaudit.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/main"
write_conf "$T/conf" "$T/main" "$T/key" "s3:$bucket/pre" -- \
	"fetch_linger = 30s" "fetch_ahead = 4MB"
fa_base "$T/main" "$T/conf" 20
rows() {
	pg_psql "$1" "select count(*) from rows"
}
records() {
	s3_keys "$bucket" pre/ | grep -c /audit/
}
recovers() {
	fa_recovers "$T/$1" "restore_command = '\"$BUILD/walfetch\" -c \"$2\" %f %p'"
}

# -- with credentials that may write ----------------------------------------------

ok "a server recovers" recovers one "$T/conf"
is "... with every row" "$(rows "$T/one")" 20000
pg_stop "$T/one"
read=$(grep -c 'restored log file "[0-9A-F]\{24\}"' "$T/one.log")
ok "its trail is sound" fa_trail
is "what it read is on record, begun and ended" "$(fa_records)" \
	"begun -1 -
ended 0 $read"
atleast "... all of it" "$read" 20
unlike "and PostgreSQL's log has no word of it" "$(cat "$T/one.log")" \
	'WARNING|its record'
ok "repo-verify has no finding" repo-verify -c "$T/conf" --wal --no-record

# -- with credentials that may only read ------------------------------------------

before=$(records)
conf_user "$T/conf" "$T/reader" "$bucket" reader read
ok "credentials that may only read recover" recovers two "$T/reader"
is "... every row" "$(rows "$T/two")" 20000
pg_stop "$T/two"
is "... with one warning in PostgreSQL's log" \
	"$(grep -c 'WARNING: recovery goes on, but without its record' \
		"$T/two.log")" 1
is "... and no record" "$(records)" "$before"
is "nothing is left to be recorded" "$(ls "$T/spool" | grep -c fetched-)" 0

# -- a store that hangs when a record comes ---------------------------------------

proxy_start p
conf_proxied "$T/conf" "$T/slow"
chmod 600 "$T/slow"
proxy_rules p '[{"method": "PUT", "path": "/audit/", "action": "hang"}]'
ok "with records that hang a server recovers" recovers three "$T/slow"
is "... every row" "$(rows "$T/three")" 20000
pg_stop "$T/three"
atleast "... though they were sent" \
	"$(proxy_count p '^PUT .*/audit/.*hang')" 1
proxy_rules p
ok "when they no longer hang, the next recovery" recovers four "$T/slow"
pg_stop "$T/four"
ok "... leaves a sound trail" fa_trail
atleast "... with the records that had to wait" \
	"$(fa_detail data_directory | grep -c three)" 1
is "... and its own" "$(fa_detail data_directory | grep -c four)" 2

done_testing
