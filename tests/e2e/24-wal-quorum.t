#!/bin/sh
# Several repositories: what walpush promises with a quorum, and what walfetch
# makes of repositories that disagree.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 13 >"$T/names"
id=$(wal_id "$T/pg")
pg_stop "$T/pg"
proxy_start p
far="s3@$PROXY_URL:$bucket/x"
write_conf "$T/one" "$T/pg" "$T/key" "file:$T/repo" "$far" -- \
	"push_quorum = 1" "push_deadline = 60s" "fetch_deadline = 4s"
write_conf "$T/two" "$T/pg" "$T/key" "file:$T/repo" "$far" -- \
	"push_quorum = 2" "push_deadline = 3s" "fetch_deadline = 4s"
push() {
	start=$(now_ms)
	in_dir "$T/pg" walpush -c "$@"
	pushed=$?
	took=$(($(now_ms) - start))
	return $pushed
}
fetch() {
	in_dir "$T/pg" walfetch -c "$@"
}
near_has() {
	[ -n "$(wal_object "$T/repo" "$1")" ]
}
far_has() {
	s3ctl list "$bucket" | grep -q "/$1\$"
}
n=0
next() {
	n=$((n + 1))
	name=$(sed -n ${n}p "$T/names")
}

# -- walpush ------------------------------------------------------------------
next
exits 0 "both are written" push "$T/two" -v "pg_wal/$name"
like "and told" "$(cat "$T/err")" "durable in 2 repositories"
ok "the near one holds it" near_has "$name"
ok "the far one holds it" far_has "$name"
is "each has its archive's mark" "$(s3ctl list "$bucket" | grep -c /archive)$(
	find "$T/repo" -name archive | wc -l)" 11
exits 0 "the same again" push "$T/two" -v "pg_wal/$name"
like "is told" "$(cat "$T/err")" "was durable in 2"

next
proxy_rules p '[{"method":"PUT","action":"hang"}]'
exits 4 "2 of 2 are needed and one hangs: no success" \
	push "$T/two" "pg_wal/$name"
intime "and the deadline of 3 s holds" "$took" 3
like "and the message tells which" "$(cat "$T/err")" \
	"1 of 2 repositories, 2 needed.*r2"
ok "the one that works holds it all the same" near_has "$name"
proxy_rules p
exits 0 "when it is back the same push completes" push "$T/two" "pg_wal/$name"
ok "the far one holds it now" far_has "$name"

next
proxy_rules p '[{"method":"PUT","action":"hang"}]'
exits 0 "1 of 2 is needed and the other hangs: a success" \
	push "$T/one" "pg_wal/$name"
intime "after 5 s of grace, not after the deadline of 60 s" "$took" 5
like "with a warning that names it" "$(cat "$T/err")" "durable, but: r2: "
# With 5 s for each file pg_wal would fill up because of a repository that is
# not even needed.
late=$T/spool/main-$id.marks.late-r2
noted=$(stat -c %Y "$late")
start=$(now_ms)
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	push "$T/one" "pg_wal/$name" || fail "push number $i"
done 2>"$T/err"
intime "with the files of the next minute it is a second each" \
	$(($(now_ms) - start)) 12
like "and still told" "$(cat "$T/err")" "durable, but: r2: "
is "the minute is counted from when it had its 5 s" \
	"$(stat -c %Y "$late")" "$noted"
touch -d '2 minutes ago' "$late"
exits 0 "then it has them again" push "$T/one" "pg_wal/$name"
atleast "and is late again" "$(stat -c %Y "$late")" "$noted"
proxy_rules p
exits 0 "once it answers" push "$T/one" "pg_wal/$name"
ok "it has the file" far_has "$name"
nok "and all is forgotten" test -e "$late"
next
proxy_rules p '[{"method":"PUT","action":"status","status":403,
	"code":"AccessDenied"}]'
exits 0 "1 of 2 is needed and the other refuses: a success" \
	push "$T/one" "pg_wal/$name"
like "with a warning that names it" "$(cat "$T/err")" "durable, but: r2: "
proxy_rules p
only_near=$name

# Somebody else writes to the far one under this name: another cluster, or this
# one twice. That must not go unnoticed while the near one takes it.
next
mkdir "$T/w"
cp "$T/pg/pg_wal/$name" "$T/w/$name"
printf x | dd of="$T/w/$name" bs=1 seek=1048575 conv=notrunc status=none
write_conf "$T/far" "$T/pg" "$T/key" "$far" -- "fetch_deadline = 4s"
ok "other content in the far one" push "$T/far" "$T/w/$name"
exits 3 "is a conflict although the quorum is reached" \
	push "$T/one" "pg_wal/$name"

# One directory by two paths is one place.
ln -s "$T/repo" "$T/link"
for quorum in 1 2; do
	write_conf "$T/same$quorum" "$T/pg" "$T/key" "file:$T/repo" \
		"file:$T/link" -- "push_quorum = $quorum"
done
next
exits 2 "a quorum of two is not reached in one directory" \
	push "$T/same2" "pg_wal/$name"
like "and it is told" "$(cat "$T/err")" \
	"in 1 of 2 repositories, 2 needed: .*r2: is the directory of .*r1"
exits 2 "nor when it is there" push "$T/same2" "pg_wal/$name"
exits 0 "one of one is" push "$T/same1" "pg_wal/$name"
like "and it is told as well" "$(cat "$T/err")" \
	"durable, but: r2: is the directory of repository r1"

# -- walfetch -----------------------------------------------------------------
next
both=$name
push "$T/two" "pg_wal/$both" || bail "no push"
absent=000000010000000000000FFF
exits 0 "what only one holds is delivered by it" fetch "$T/one" "$only_near" \
	"$T/x"
write_conf "$T/turned" "$T/pg" "$T/key" "$far" "file:$T/repo" -- \
	"fetch_deadline = 15s"
rm "$T/x"
exits 0 "also when it is asked last" fetch "$T/turned" "$only_near" "$T/x"
same "whole" "$T/x" "$T/pg/pg_wal/$only_near"
exits 1 "what both do not have is absent" fetch "$T/one" "$absent" "$T/y"
proxy_rules p '[{"action":"status","status":503,"code":"SlowDown"}]'
exits 200 "with one that cannot be asked it is not" \
	fetch "$T/one" "$absent" "$T/y"
exits 0 "the other one delivers what it has" fetch "$T/turned" "$both" "$T/x"
same "whole" "$T/x" "$T/pg/pg_wal/$both"
proxy_rules p
object=$(wal_object "$T/repo" "$both")
flip "$object" 5000
exits 0 "one that is damaged is passed over for a good one" \
	fetch "$T/one" "$both" "$T/x"
same "whole" "$T/x" "$T/pg/pg_wal/$both"
s3ctl delete "$bucket" "$(s3_keys "$bucket" | grep "/$both\$")"
rm "$T/x"
exits 200 "one damaged and one absent is no absence" \
	fetch "$T/one" "$both" "$T/x"
ok "and nothing is delivered" test ! -e "$T/x"
s3ctl delete "$bucket" "x/main/$id/archive"
exits 200 "absent in both, but one shows no mark: no absence" \
	fetch "$T/one" "$absent" "$T/y"

# -- segments that are sealed as they stream ---------------------------------
pg_new 15 "$T/big" --wal-segsize=64
pg_set "$T/big" "wal_keep_size = 500MB"
pg_start "$T/big" || bail "no server"
pg_psql "$T/big" "create table t as select n, md5(n::text) from
	generate_series(1, 300000) n"
big=$(pg_switch "$T/big")
pg_stop "$T/big"
write_conf "$T/bigconf" "$T/big" "$T/key" "file:$T/bigrepo" "$far/big" -- \
	"push_quorum = 2" "compression = none"
exits 0 "a segment of 64 MB goes to both" \
	in_dir "$T/big" walpush -c "$T/bigconf" "pg_wal/$big"
exits 0 "and is recognised" \
	in_dir "$T/big" walpush -c "$T/bigconf" "pg_wal/$big"
for i in 1 2; do
	[ $i = 1 ] || rm -r "$T/bigrepo/main"
	exits 0 "and comes back from repository $i" \
		in_dir "$T/big" walfetch -c "$T/bigconf" "$big" "$T/x"
	same "as it was" "$T/x" "$T/big/pg_wal/$big"
done
is "no upload is left open" "$(s3ctl uploads "$bucket" | wc -l)" 0

done_testing
