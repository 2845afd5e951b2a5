#!/bin/sh
# --delta makes an existing directory what the backup holds, whatever became of
# it; fetches only what differs; touches nobody else's files; and whatever stops
# it, the directory does not start before a next run has completed it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
mkdir "$T/space" "$T/after"
pg_psql "$d" "CREATE TABLESPACE space LOCATION '$T/space'"
pg_psql "$d" "CREATE TABLE far TABLESPACE space AS
	SELECT g AS v, md5(g::text) FROM generate_series(1, 20000) g"
pg_psql "$d" "CREATE TABLE large AS
	SELECT g AS v, md5(g::text) FROM generate_series(1, 100000) g"
pg_psql "$d" "CREATE INDEX ON large (v)"
oid=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
far=$(pg_psql "$d" "SELECT pg_relation_filepath('far')")
large=$(pg_psql "$d" "SELECT pg_relation_filepath('large')")
rs_mark "$d" a
basebackup-ship -c "$T/conf" >"$T/id" || bail "no backup"
backup=$(cat "$T/id")
rs_mark "$d" b
pg_psql "$d" "UPDATE large SET v = v + 1 WHERE v % 1000 = 0"
pg_psql "$d" "CREATE TABLE new AS SELECT g FROM generate_series(1, 50000) g"
pg_psql "$d" "DROP TABLE far"
pg_psql "$d" "CREATE TABLESPACE after LOCATION '$T/after'"
pg_psql "$d" "CREATE TABLE late TABLESPACE after AS SELECT 1 AS v"
after=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'after'")
rs_archived "$d"

conf=$T/conf
delta() {
	delta_dir=$1
	shift
	pitr-restore -c "$conf" --delta --target-dir "$delta_dir" $discard "$@"
}
discard=
state() { # of folders: names, kinds, modes, contents
	for s_dir; do
		(cd "$s_dir" 2>/dev/null && find . -printf '%M %p %l\n' | sort)
		rs_sums "$s_dir" 2>/dev/null
	done
}
refused() { # NAME ERE DIR OPTION...
	f_name=$1 f_why=$2 f_dir=$3
	shift 3
	f_before=$(state "$f_dir" "$T/space" "$T/after")
	exits 2 "$f_name: refused" delta "$f_dir" "$@"
	like "$f_name: it says why" "$(grep -v 'not in the backup' "$T/err")" \
		"$f_why"
	is "$f_name: nothing was changed" \
		"$(state "$f_dir" "$T/space" "$T/after")" "$f_before"
}
# Not even when all but pg_control is as a server wants it.
stays_down() {
	cp "$T"/plain/PG_VERSION "$T"/plain/*.conf "$1" &&
		! "$(pg_bin 15)/pg_ctl" -D "$1" -w -t 10 -s -l "$T/down.log" \
			-o "-c unix_socket_directories=$T/s" start &&
		grep -q "global/pg_control" "$T/down.log"
}

# -- what is refused ---------------------------------------------------------
exits 2 "a running server's directory: refused" delta "$d"
like "it says why" "$(cat "$T/err")" "postmaster.pid: a server may be running"
ok "the server runs on" pg_psql "$d" "SELECT count(*) FROM large"
nok "there is no mark" test -e "$d/pitrkit.restoring"
pg_stop "$d"
cp -a "$d" "$T/copy"
cp -a "$d" "$T/crashed"
echo 1 >"$T/crashed/postmaster.pid"
refused "a postmaster.pid" "only if there is none, remove" "$T/crashed"
pg_new 15 "$T/other"
refused "another cluster's directory" "another cluster.*system id.*\): \
restore into another directory" "$T/other"
mkdir "$T/files" "$T/broken" "$T/broken/global"
echo precious >"$T/files/file"
refused "files that are no cluster" "does not tell whose" "$T/files"
echo precious >"$T/broken/global/pg_control"
refused "a pg_control that is none" "does not tell whose" "$T/broken"
refused "a copy whose tablespace is the original's" \
	"tablespace $oid: $T/space is in use by $d" "$T/copy"
refused "and if it is named, too" "in use by $d" "$T/copy" \
	--tablespace "$oid=$T/space"
mkdir "$T/taken"
echo precious >"$T/taken/file"
refused "a folder that is no tablespace of it" "$T/taken is not empty" "$d" \
	--tablespace "$oid=$T/taken"
cp -a "$d/pg_wal" "$T/wal"
rm -r "$T/copy/pg_wal"
ln -s "$T/wal" "$T/copy/pg_wal"
refused "a copy whose pg_wal is a link" "pg_wal is a link.*not the settings" \
	"$T/copy" --tablespace "$oid=$T/copy.space"
exits 2 "--discard-wal alone: refused" pitr-restore -c "$T/conf" \
	--target-dir "$T/none" --discard-wal
rm -r "$T/copy" "$T/crashed" "$T/wal"
# The last commits of a server may be in its pg_wal alone.
last=$(cd "$d/pg_wal" && ls | grep -x '[0-9A-F]*' | tail -n 1)
touch "$d/pg_wal/archive_status/$last.ready"
refused "WAL that waits to be archived" \
	"1 files wait to be archived, the first is $last" "$d" \
	--backup "$backup"
# A restore that was killed in its last step leaves one in a whole cluster.
touch "$d/pitrkit.restoring"
refused "and with the mark of an old restore" "1 files wait to be archived" \
	"$d" --backup "$backup"
rm "$d/pitrkit.restoring"
rm "$d/pg_wal/archive_status/$last.ready"
pg_start "$d" || bail "no server"
pg_stop "$d" immediate
rm -f "$d/postmaster.pid"
refused "a server that crashed" "was not shut down.*--discard-wal" "$d" \
	--backup "$backup"
pg_start "$d" || bail "no server"
pg_stop "$d"

# Where pg_wal leads to, all goes that is not in the backup.
mv "$d/pg_wal" "$T/pg_wal"
ln -s "$T" "$d/pg_wal"
discard=--discard-wal
refused "pg_wal leads to a folder around it" "apart from $d: remove" "$d" \
	--backup "$backup"
ln -sfn "$T/space" "$d/pg_wal"
refused "or to a tablespace" "tablespace $oid: .* are not apart" "$d" \
	--backup "$backup"
discard=
rm "$d/pg_wal"
mv "$T/pg_wal" "$d/pg_wal"

# -- a dry run ---------------------------------------------------------------
before=$(state "$d" "$T/space")
ok "a dry run is ready" delta "$d" --backup "$backup" --dry-run
is "and changes nothing" "$(state "$d" "$T/space")" "$before"

# -- everything that can be different ----------------------------------------
ok "a plain restore, to compare" pitr-restore -c "$T/conf" \
	--backup "$backup" --target-dir "$T/plain" \
	--tablespace "$oid=$T/plain.space"
compare() { # NAME: the tree and the tablespace are those of the plain restore
	is "$1: files and contents" "$(rs_sums "$d")" "$(rs_sums "$T/plain")"
	is "$1: folders and modes" \
		"$(cd "$d" && find . ! -type l -printf '%M %p\n' | sort)" \
		"$(cd "$T/plain" && find . ! -type l -printf '%M %p\n' | sort)"
	is "$1: the tablespace" \
		"$(cd "$T/space" && find PG_* -type f -exec cksum {} + | sort)" \
		"$(cd "$T/plain.space" && find PG_* -type f -exec cksum {} + |
			sort)"
	is "$1: links" "$(cd "$d" && find . -type l -printf '%p %l\n')" \
		"./pg_tblspc/$oid $T/space"
	ok "$1: verified" "$BUILD/tests/tools/verifytree" "$d"
	ok "$1: pg_verifybackup agrees" "$(pg_client)/pg_verifybackup" -n \
		-i postgresql.auto.conf -i recovery.signal "$d"
}
rots() { # FILE OFFSET: another byte, and all else as it was
	touch -r "$1" "$T/time"
	flip "$1" "$2"
	touch -r "$T/time" "$1"
}
rot() {
	rots "$d/$large" 3000000
	rots "$d/base/1/1259" 5000
}
spoil() {
	rot
	truncate -s 8192 "$d/base/1/1249"	# shorter
	cat "$d/base/1/1255" >>"$d/base/1/2619"	# longer
	rm "$d/base/1/2608" "$d/PG_VERSION"	# gone
	mkdir -p "$d/base/99/deep/deeper" "$d/lost+found"	# too many
	echo x >"$d/base/99/deep/deeper/file"
	echo x >"$d/$large.9"
	echo x >"$d/standby.signal"
	echo x >"$d/pg_wal/000000010000000000000099"
	chmod 640 "$d/base/1/1247"
	rm -rf "$T/away" && mkdir "$T/away"
	echo precious >"$T/away/file"
	cp -a "$d/base/1/1417" "$T/away/1417"
	rm -r "$d/pg_stat" && ln -s "$T/away" "$d/pg_stat"	# links
	ln -sf "$T/away/file" "$d/base/1/1418"
	ln -sf "$T/away" "$d/pg_tblspc/77"
	ln -f "$T/away/1417" "$d/base/1/1417"	# a second name
	printf 'changed' >"$d/base/1/1417"
	rm "$d/base/1/2600" && mkfifo "$d/base/1/2600"	# other kinds
	rm "$d/base/1/2601" && mkdir "$d/base/1/2601"
	rm -r "$d/pg_serial" && echo x >"$d/pg_serial"
	mkdir "$T/space/PG_14_202107181"	# in the tablespace
	echo neighbour >"$T/space/PG_14_202107181/file"
	echo x >"$(echo "$T"/space/PG_15_*)/extra"
	# of a run that was killed while it made its mark
	touch "$T/space/.pitrkit.restoring.1.0123456789abcdef.tmp"
}
spoil
discard=--discard-wal # there is some that no server wrote
ok "a directory that was spoiled" delta "$d" --backup "$backup"
like "little was fetched" "$(cat "$T/out")" \
	"MB were there already, [0-9.]+ [kM]B were fetched"
like "a tablespace of later is told of" "$(cat "$T/err")" \
	"tablespace $after is not in the backup: what is in $T/after stays"
ok "and stays" sh -c "ls $T/after/PG_15_*/*/*"
is "what a link led to is untouched" "$(cat "$T/away/file")" precious
is "the second name keeps its file" "$(cat "$T/away/1417")" changed
is "another server's tablespace stays" \
	"$(cat "$T/space/PG_14_202107181/file")" neighbour
ok "lost+found stays" rmdir "$d/lost+found"
rm -r "$T/space/PG_14_202107181"
is "nothing is left of marks" "$(find "$T/space" "$d" -name '*restoring*')" ""
compare "spoiled"
rot
ok "bytes that rotted are healed" delta "$d" --backup "$backup"
compare "rotten"
for file in $(cd "$T/plain" && find . -size +1M -name '[0-9]*'); do
	truncate -s 0 "$d/$file"
done
ok "empty files" delta "$d" --backup "$backup" --jobs 16
compare "empty"
ok "when nothing differs" delta "$d" --backup "$backup"
like "only the settings are fetched" "$(cat "$T/out")" " [0-9.]+ kB were fetched"
compare "the same"

# -- failures in the middle --------------------------------------------------
control() {
	ls "$d/global" | grep '^pg_control$'
}
spoil
rm -r "$T/space/PG_14_202107181" "$d/lost+found"
pack=$(ls "$T"/repo/main/*/base/"$backup"/pack/* | tail -n 1)
cp "$pack" "$T/pack"
for pack in "$T"/repo/main/*/base/"$backup"/pack/*; do
	cp "$pack" "$T/pack.$(basename "$pack")"
	chmod u+w "$pack"
	flip "$pack"
	flip "$pack" 3000
done
exits 5 "damaged packs: it fails" delta "$d" --backup "$backup"
ok "and is marked" test -s "$d/pitrkit.restoring"
nok "and has no pg_control" control
ok "and does not start" stays_down "$d"
for pack in "$T"/repo/main/*/base/"$backup"/pack/*; do
	cp "$T/pack.$(basename "$pack")" "$pack"
done
ok "the next run completes it" delta "$d" --backup "$backup"
compare "damaged packs"

PYTHONPATH=$TOP/tests/lib "$PYTHON" - "$T" "$backup" "$large" \
	>"$T/kills" 2>&1 <<'END' ||
import os, random, shutil, subprocess, sys, time
from killer import Killer
t, backup, large = sys.argv[1:]
main = t + '/main'
command = ['pitr-restore', '-c', t + '/conf', '--delta', '--target-dir', main,
           '--backup', backup, '--jobs', '2']


def spoil(r):
    for path, _, names in os.walk(main + '/base'):
        for name in r.sample(names, len(names) // 2):
            file = os.path.join(path, name)
            kind = r.randrange(4)
            if kind == 0:
                os.unlink(file)
            elif kind == 1:
                os.truncate(file, r.randrange(20000))
            else:
                with open(file, 'r+b') as f:
                    f.seek(r.randrange(os.path.getsize(file) + 1))
                    f.write(r.randbytes(100))
    open(main + '/base/extra', 'w').close()


middle = 0
killer = Killer()
# The first one, which is not killed, tells how long it takes.
for n in range(100):
    spoil(random.Random(n))
    with open(t + '/kill.err', 'w') as err:
        status = killer.run(command, stdout=subprocess.DEVNULL, stderr=err)
    if status == 0:
        continue
    if status > 0:
        print(n, status, open(t + '/kill.err').read())
    control = os.path.exists(main + '/global/pg_control')
    if not control:
        middle += 1
        if not os.path.exists(main + '/pitrkit.restoring'):
            print(n, 'no mark')
        if middle == 20:
            break
    elif not os.path.exists(main + '/base/extra'):
        # It was at work and has pg_control again: then it had finished, but
        # perhaps for what is removed last.
        for mark in ('/pitrkit.restoring', '/global/pg_control.pitrkit-old'):
            if os.path.exists(main + mark):
                os.unlink(main + mark)
        p = subprocess.run([os.environ['BUILD'] + '/tests/tools/verifytree',
                            main], capture_output=True)
        if p.returncode:
            print(n, 'pg_control in a tree that is not whole',
                  p.stdout.decode())
print('in the middle:', middle)
for _ in range(20):
    # For what follows there have to be remains.
    if not os.path.exists(main + '/global/pg_control'):
        break
    spoil(random.Random(99))
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    while p.poll() is None and os.path.exists(main + '/global/pg_control'):
        time.sleep(0.001)
    p.kill()
    p.wait()
END
	bail "$(tail -n 1 "$T/kills")"
unlike "killed again and again: no run failed, no tree without mark" \
	"$(cat "$T/kills")" "^[0-9]+ "
like "twenty were killed in the middle" "$(cat "$T/kills")" \
	"^in the middle: 20"
diag "$(cat "$T/kills")"
ok "the remains do not start" stays_down "$d"
ok "the next run completes them" delta "$d" --backup "$backup"
compare "killed"
ok "no mark is left" test ! -e "$d/pitrkit.restoring" \
	-a ! -e "$T/space/pitrkit.restoring" \
	-a ! -e "$d/global/pg_control.pitrkit-old"

# -- it recovers -------------------------------------------------------------
rm -r "$T/after"/PG_15_*
ok "it starts" rs_start "$d"
wait_for 60 rs_writes "$d" || fail "it does not promote"
is "and has all there was" "$(rs_marks "$d")" ab
pg_psql "$d" "CREATE EXTENSION amcheck" >/dev/null
ok "pg_amcheck finds nothing" "$(pg_client)/pg_amcheck" --heapallindexed \
	--parent-check -h "$T/s" -p "$(pg_port "$d")" -U postgres postgres
pg_stop "$d"

# -- WAL on another disk -----------------------------------------------------
mv "$d/pg_wal" "$T/wal"
ln -s "$T/wal" "$d/pg_wal"
ok "pg_wal behind a link" delta "$d" --backup "$backup"
is "the link stays" "$(readlink "$d/pg_wal")" "$T/wal"
is "what it led to is as in the backup" "$(ls "$T/wal")" "archive_status"
rm "$d/pg_wal"
mv "$T/wal" "$d/pg_wal"
compare "pg_wal behind a link"

# -- where there is nothing to begin from ------------------------------------
ok "a directory that is not there" delta "$T/fresh" \
	--tablespace "$oid=$T/fresh.space" --backup "$backup"
ok "is made" "$BUILD/tests/tools/verifytree" "$T/fresh"
ok "a copy with folders of its own" delta "$T/fresh" \
	--tablespace "$oid=$T/fresh.space" --backup "$backup"
sed "s,^pgdata.*,pgdata = $T/nowhere," "$T/conf" >"$T/conf.nowhere"
conf=$T/conf.nowhere
refused "a link in a directory that is not pgdata" "to say that it is its own" \
	"$d" --backup "$backup"
conf=$T/conf
ok "the tablespace to another place" delta "$T/fresh" \
	--tablespace "$oid=$T/fresh.space2" --backup "$backup"
is "the link leads there" "$(readlink "$T/fresh/pg_tblspc/$oid")" \
	"$T/fresh.space2"
ok "and all is there" "$BUILD/tests/tools/verifytree" "$T/fresh"
done_testing
