#!/bin/sh
# The archive's mark: looked at once a day and no oftener, whatever the clock
# says; what could not be seen is not taken for seen; damage is called damage.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

new_key "$T/key"
new_key "$T/other"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 12 >"$T/names"
pg_stop "$T/pg" || bail "no stop"
s3_start
s3_bucket bucket
proxy_start p tls
n=0

# push: the next segment
push() {
	n=$((n + 1))
	in_dir "$T/pg" walpush -c "$T/conf" "pg_wal/$(sed -n "${n}p" "$T/names")"
}
requests() {
	proxy_count p "^[A-Z]+ "
}
# until: for how long the note is believed, in seconds from now
until_then() {
	awk -v up="$(cut -d. -f1 /proc/uptime)" '/^(once|look) / {
		print $2 - up }' "$T"/spool/*.marks
}
use() {
	write_conf "$T/conf" "$T/pg" "$1" "$2"
}

# -- requests -------------------------------------------------------------------
use "$T/key" "s3@$PROXY_URL:$bucket/a"
exits 0 "the first segment of an archive" push
before=$(requests)
exits 0 "the second" push
is "is one request" $(($(requests) - before)) 1
atleast "the note is believed for a day" "$(until_then)" 86000
for when in "3 days ago" "3 days"; do
	touch -d "$when" "$T"/spool/*.marks
	before=$(requests)
	exits 0 "one when the clock was set, by $when" push
	is "is one request, too" $(($(requests) - before)) 1
done
note_ages
before=$(requests)
exits 0 "a day later" push
is "the mark is looked at by three more" $(($(requests) - before)) 4
sed -i 's/ boot .*/ boot other/' "$T"/spool/*.marks
before=$(requests)
exits 0 "and when the host was started again" push
is "by three" $(($(requests) - before)) 4

# -- what could not be seen -----------------------------------------------------
use "$T/other" "s3@$PROXY_URL:$bucket/a"
proxy_rules p '[{"method":"GET","path":"/archive","action":"status",
	"status":403,"code":"AccessDenied"}]'
exits 0 "a mark that may not be read keeps nobody from archiving" push
atmost "but is not taken for ours for long" "$(until_then)" 600
proxy_rules p
note_ages
exits 5 "when it can be read, the other key is seen" push
like "and told" "$(cat "$T/err")" "begun with another key"

# -- damage -----------------------------------------------------------------------
use "$T/key" "file:$T/repo"
rm -f "$T"/spool/*.marks
exits 0 "a directory" push
mark=$(echo "$T"/repo/main/*/archive)
cp "$mark" "$T/mark"
size=$(stat -c %s "$mark")
for at in 58 $((size - 20)) cut empty; do
	chmod u+w "$mark"
	case $at in
	cut) head -c $((size - 10)) "$T/mark" >"$mark" ;;
	empty) : >"$mark" ;;
	*) cp "$T/mark" "$mark" && flip "$mark" $at ;;
	esac
	note_ages
	exits 0 "a damaged mark ($at) keeps nobody from archiving" \
		in_dir "$T/pg" walpush -c "$T/conf" \
		"pg_wal/$(sed -n "${n}p" "$T/names")"
	like "and is told" "$(cat "$T/err")" "durable, but: .*mark.* is damaged"
	unlike "as what it is" "$(cat "$T/err")" "begun with another key"
	exits 0 "the second time as the first ($at)" push
	like "and told again" "$(cat "$T/err")" "mark.* is damaged"
	n=$((n - 1))
done
rm -f "$mark" "$T"/spool/*.marks
exits 0 "removed as the message says" push
ok "it is made anew" test -s "$mark"
is "and nothing more is told" "$(cat "$T/err")" ""
done_testing
