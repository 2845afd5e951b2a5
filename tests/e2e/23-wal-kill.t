#!/bin/sh
# SIGKILL at any moment: the next call of walpush completes, nothing is lost,
# nothing half done is taken for whole.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/archive.sh"

s3_start
s3_bucket bucket
new_key "$T/key"
wal_cluster "$T/pg"
pg_start "$T/pg" || bail "no server"
wal_make "$T/pg" 20 >"$T/names"
pg_stop "$T/pg"
write_conf "$T/file" "$T/pg" "$T/key" "file:$T/repo" -- "compression = none"
write_conf "$T/s3" "$T/pg" "$T/key" "s3:$bucket/x" -- "compression = none"

# kill_at MS CMD...: runs it and kills it at a random moment of the first
# MS milliseconds; prints "killed" or its exit status.
cat >"$T/kill_at" <<'PERL'
use strict;
use warnings;
use Time::HiRes qw(usleep);
my $ms = shift;
my $pid = fork() // die;
if ($pid == 0) {
	exec { $ARGV[0] } @ARGV or die;
}
usleep(int(rand($ms * 1000)));
kill 'KILL', $pid;
waitpid($pid, 0);
print $? & 127 ? "killed\n" : ($? >> 8) . "\n";
PERL

# How long a call takes here, so that the kills fall into it.
ms_of() {
	ms_start=$(now_ms)
	"$@" || return 1
	ms=$(($(now_ms) - ms_start + 5))
}

# kill_some CMD...: calls it, kills it, and learns for the next one: a call
# that ended before its kill was quicker than the first, which had more to do.
kill_some() {
	kill_end=$(perl "$T/kill_at" "$ms" "$@" 2>>"$T/noise")
	echo "$kill_end" >>"$T/ends"
	if [ "$kill_end" = killed ]; then
		ms=$((ms + 1))
	else
		ms=$((ms - ms / 5))
	fi
	[ "$ms" -ge 4 ] || ms=4
}

cd "$T/pg" || bail "no data directory"
for kind in file s3; do
	ms_of walpush -c "$T/$kind" "pg_wal/$(tail -n 1 "$T/names")" ||
		bail "no push"
	: >"$T/ends"
	lost=0 odd=0
	for name in $(head -n 19 "$T/names"); do
		killed=0 calls=0
		while [ $killed -lt 6 ] && [ $calls -lt 30 ]; do
			calls=$((calls + 1))
			kill_some walpush -c "$T/$kind" "pg_wal/$name"
			[ "$kill_end" != killed ] || killed=$((killed + 1))
			# What is there is whole, or it is not there.
			walfetch -c "$T/$kind" "$name" "$T/got" 2>>"$T/noise"
			case $? in
			0) cmp -s "$T/got" "pg_wal/$name" || odd=$((odd + 1)) ;;
			1) ;;
			*) odd=$((odd + 1)) ;;
			esac
			rm -f "$T/got"
		done
		walpush -c "$T/$kind" "pg_wal/$name" 2>>"$T/noise" &&
			walfetch -c "$T/$kind" "$name" "$T/got" &&
			cmp -s "$T/got" "pg_wal/$name" || lost=$((lost + 1))
	done
	killed=$(grep -c killed "$T/ends")
	atleast "$kind: walpush was killed a hundred times" "$killed" 100
	is "$kind: every other one succeeded" \
		"$(grep -vc -e killed -e '^0$' "$T/ends")" 0
	is "$kind: at no moment was there half a segment" $odd 0
	is "$kind: after each, the next push completed and nothing is lost" \
		$lost 0
done
is "file: nothing but segments and the mark is left in the repository" \
	"$(find "$T/repo" -type f ! -name '0000*' ! -name archive | wc -l)" 0
is "S3: nor is an upload left open" "$(s3ctl uploads "$bucket" | wc -l)" 0

# -- walfetch -----------------------------------------------------------------
name=$(head -n 1 "$T/names")
mkdir "$T/dest"
: >"$T/ends"
ms_of walfetch -c "$T/s3" "$name" "$T/got" || bail "no fetch"
odd=0
for i in $(seq 50); do
	kill_some walfetch -c "$T/s3" "$name" "$T/dest/x"
	[ ! -e "$T/dest/x" ] || cmp -s "$T/dest/x" "pg_wal/$name" ||
		odd=$((odd + 1))
	rm -f "$T/dest/x"
done
atleast "of 50 calls of walfetch many were killed" \
	"$(grep -c killed "$T/ends")" 10
is "none left a file that is not whole" $odd 0
is "and none left anything else" "$(find "$T/dest" -type f | wc -l)" 0

done_testing
