#!/bin/sh
# What a restore must not touch it does not touch, what it cannot do it says,
# and whatever stops it: the remains do not start, and the same command again
# succeeds.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
mkdir "$T/space"
pg_psql "$d" "CREATE TABLESPACE space LOCATION '$T/space'"
pg_psql "$d" "CREATE TABLE far TABLESPACE space AS
	SELECT g AS v FROM generate_series(1, 1000) g"
oid=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
rs_mark "$d" a
basebackup-ship -c "$T/conf" >"$T/id" || bail "no backup"
backup=$(cat "$T/id")
rs_mark "$d" b
rs_archived "$d"

to() {
	to_dir=$1
	shift
	pitr-restore -c "$T/conf" --target-dir "$to_dir" \
		--tablespace "$oid=$to_dir.space" "$@"
}
# refused STATUS NAME ERE DIR OPTION...: nothing in DIR or DIR.space changes
refused() {
	f_status=$1 f_name=$2 f_why=$3 f_dir=$4
	shift 4
	f_before=$(rs_sums "$f_dir" 2>/dev/null; rs_sums "$f_dir.space" \
		2>/dev/null; ls -lAR "$f_dir" "$f_dir.space" 2>/dev/null)
	exits "$f_status" "$f_name: refused" to "$f_dir" "$@"
	like "$f_name: it says why" "$(cat "$T/err")" "$f_why"
	is "$f_name: one line" "$(wc -l <"$T/err")" 1
	is "$f_name: all is as it was" "$(rs_sums "$f_dir" 2>/dev/null
		rs_sums "$f_dir.space" 2>/dev/null
		ls -lAR "$f_dir" "$f_dir.space" 2>/dev/null)" "$f_before"
}

# -- directories -------------------------------------------------------------
mkdir "$T/full" "$T/x" "$T/x.space" "$T/pid"
echo precious >"$T/full/file"
echo precious >"$T/x.space/file"
echo 1 >"$T/pid/postmaster.pid"
refused 2 "a directory with something in it" "$T/full is not empty" "$T/full"
refused 2 "a running server's" "postmaster.pid.*may be running" "$d"
refused 2 "a postmaster.pid alone" "postmaster.pid" "$T/pid"
refused 2 "a tablespace's directory with something in it" \
	"tablespace $oid \(give --tablespace $oid=DIR.*$T/x.space is not empty" \
	"$T/x"
exits 2 "the tablespace's own place is taken" pitr-restore -c "$T/conf" \
	--target-dir "$T/y"
like "and how to put it elsewhere is told" "$(cat "$T/err")" \
	"--tablespace $oid=DIR.*$T/space is not empty"
nok "and nothing was made" test -e "$T/y"
refused 2 "a directory in a repository" \
	"$T/repo/new and repository r1, $T/repo, lie in each other" "$T/repo/new"
mkdir "$T/in" "$T/around"
exits 2 "a tablespace in a repository" pitr-restore -c "$T/conf" \
	--target-dir "$T/in" --tablespace "$oid=$T/repo/space"
like "... which is told" "$(cat "$T/err")" "$T/repo/space and repository r1"
rmdir "$T/in"
ln -s "$T/repo" "$T/around/repo"
sed "s|file://$T/repo|file://$T/around/repo|" "$T/conf" >"$T/around.conf"
chmod 600 "$T/around.conf"
exits 2 "a repository in the directory" pitr-restore -c "$T/around.conf" \
	--target-dir "$T/around" --tablespace "$oid=$T/in.space"
nok "... makes nothing" test -e "$T/repo/new"
touch "$T/file"
refused 2 "a file instead of a directory" "Not a directory" "$T/file"
for where in "$T/in" "$T/in/pg_tblspc/$oid" "$T"; do
	exits 2 "a tablespace in $where" pitr-restore -c "$T/conf" \
		--target-dir "$T/in" --tablespace "$oid=$where"
	nok "makes nothing" test -e "$T/in"
done
exits 2 "a tablespace that is not there" to "$T/in" --tablespace "1=$T/in.1"
exits 2 "a tablespace twice" to "$T/in" --tablespace "$oid=$T/in.1"
exits 2 "a tablespace without a number" to "$T/in" --tablespace "x=$T/in.1"

# -- requests ----------------------------------------------------------------
refused 2 "no such backup" "no such backup, or it was not finished" "$T/in" \
	--backup 20200101T000000Z-full-00000000
refused 2 "no backup's name" "no such backup" "$T/in" --backup ../../etc
refused 2 "two targets" "give one of" "$T/in" --target-xid 800 \
	--target-immediate
refused 2 "an exclusive name" "--target-exclusive goes with" "$T/in" \
	--target-name x --target-exclusive
refused 2 "no time" "half past nine.* is not a time" "$T/in" \
	--target-time "half past nine"
refused 2 "an unknown action" "pause, promote or shutdown" "$T/in" \
	--target-action stop
refused 1 "an unknown timeline" "00000007.history" "$T/in" \
	--target-timeline 7
refused 2 "an unknown repository" "no such repository; its first is r1" "$T/in" \
	--repo other
refused 2 "another system id" "holds no archive of cluster main" "$T/in" --system-id 17
exits 2 "no directory" pitr-restore -c "$T/conf"

root=$(echo "$T"/repo/main/*)
mkdir "$T/repo/main/17"
cp "$root/archive" "$T/repo/main/17/"
refused 2 "several system ids in one repository" "choose one with --system-id" \
	"$T/in"
ok "with one of them chosen" to "$T/chosen" --system-id "${root##*/}"
rm -r "$T/repo/main/17"

mv "$root/base/$backup/head" "$T/head"
refused 2 "an unfinished backup" "no finished backup.*1 unfinished" "$T/in"
refused 2 "an unfinished backup that is named" "not finished" "$T/in" \
	--backup "$backup"
mv "$T/head" "$root/base/$backup/head"

# One damaged head must not make every backup unusable.
mkdir "$root/base/20300101T000000Z-full-00000001"
printf 'PITRKIT\nnot' >"$root/base/20300101T000000Z-full-00000001/head"
refused 5 "a damaged head among the backups" "full-00000001.*" "$T/in"
like "and the way out is told" "$(cat "$T/err")" "--backup ID"
ok "a backup that is named is restored all the same" to "$T/named" \
	--backup "$backup" --no-progress
rm -r "$root/base/20300101T000000Z-full-00000001"

# -- keys --------------------------------------------------------------------
cp "$T/conf" "$T/good"
new_key "$T/other"
sed -i "s|^key_file.*|key_file = $T/other|" "$T/conf"
refused 5 "the wrong key" "no private key for it is here" "$T/in"
repo-key recipient "$T/key" >"$T/recipient"
sed -i "s|^key_file.*|key_file = $T/recipient|" "$T/conf"
refused 5 "the recipient part of the key" "needs the key itself" "$T/in"
sed -i "s|^key_file.*|encryption = off|" "$T/conf"
refused 5 "no key" "is encrypted, and no key file is given" "$T/in"
cp "$T/good" "$T/conf"
ok "nothing was made by any of them" \
	test ! -e "$T/in" -a ! -e "$T/in.space"

# -- stopped in the middle ---------------------------------------------------
does_not_start() {
	[ -d "$1" ] && [ ! -e "$1/global/pg_control" ] &&
		! "$(pg_bin 15)/pg_ctl" -D "$1" -w -t 10 -s start \
			-o "-c listen_addresses= -c unix_socket_directories=$T/s"
}
limited() {
	(ulimit -f 64 && to "$T/small")
}
nok "a disk that is full in the middle" limited
ok "leaves what does not start" does_not_start "$T/small"
ok "the same again, with room" to "$T/small"
ok "makes the whole tree" "$BUILD/tests/tools/verifytree" "$T/small"

# Remains, but not of ours: the mark alone does not make a folder ours.
mkdir "$T/odd" "$T/odd.space" "$T/odd/global"
echo mine >"$T/odd/global/pg_control"
touch "$T/odd/pitrkit.restoring"
refused 2 "a mark beside a pg_control" "$T/odd is not empty" "$T/odd"
rm -r "$T/odd"
# Killed after pg_control had its name: the marks are still there, and the
# cluster is whole. Its tablespace is no remains.
mkdir "$T/late"
cp -r "$T/small.space" "$T/late.space"
printf 'restore of backup %s, not finished, into\n%s\n' "$backup" "$T/small" \
	>"$T/late.space/pitrkit.restoring"
touch "$T/small/pitrkit.restoring"
refused 2 "the tablespace of a cluster that is whole" "late.space is not empty" \
	"$T/late"

rm -r "$T/late.space"
mkdir "$T/two.space" "$T/two"
exec 8<"$T/two"
flock 8
refused 2 "another restore is at work" "another restore is at work" "$T/two"
exec 8<&-

ln -s "$T/linked" "$T/link"
mkdir "$T/linked"
# Killed while the first of all files, the mark, was synced on a busy disk.
mkdir "$T/torn" "$T/torn.space"
touch "$T/torn/.pitrkit.restoring.1.0123456789abcdef.tmp" \
	"$T/torn.space/.pitrkit.restoring.1.0123456789abcdef.tmp"
ok "where a mark was being made" to "$T/torn"
is "nothing of that is left" "$(find "$T/torn" "$T/torn.space" \
	-name '*restoring*')" ""
ok "into a link to a directory" to "$T/link"
ok "makes the whole tree there" "$BUILD/tests/tools/verifytree" "$T/linked"

# SIGKILL, again and again, into the same place.
PYTHONPATH=$TOP/tests/lib "$PYTHON" - "$T" "$oid" >"$T/kills" 2>&1 <<'END' ||
import os, subprocess, sys, time
from killer import Killer
t, oid = sys.argv[1:]
command = ['pitr-restore', '-c', t + '/conf', '--target-dir', t + '/kill',
           '--tablespace', f'{oid}={t}/kill.space', '--jobs', '2']
whole = killed = 0
killer = Killer()
# The first one, which is not killed, tells how long it takes.
for n in range(100):
    with open(t + '/kill.err', 'w') as err:
        status = killer.run(command, stdout=subprocess.DEVNULL, stderr=err)
    # Named last: then everything else is there.
    named = os.path.exists(t + '/kill/global/pg_control')
    if status > 0:
        print(n, status, open(t + '/kill.err').read())
    elif status == 0 or named:
        whole += 1
        if status != 0 and subprocess.run(
                [os.environ['BUILD'] + '/tests/tools/verifytree',
                 t + '/kill']).returncode != 0:
            print(n, status, 'pg_control in a tree that is not whole')
        os.rename(t + '/kill', f'{t}/whole{n}')
        os.rename(t + '/kill.space', f'{t}/whole{n}.space')
    else:
        killed += 1
        if killed == 15:
            break
print('in the middle:', killed, 'whole:', whole)
# For what follows there have to be remains: killed as soon as there is a mark.
for n in range(100, 120):
    if os.path.exists(t + '/kill/pitrkit.restoring'):
        break
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    while p.poll() is None and not os.path.exists(
            t + '/kill/pitrkit.restoring'):
        time.sleep(0.001)
    p.kill()
    p.wait()
    if p.returncode == 0 or os.path.exists(t + '/kill/global/pg_control'):
        os.rename(t + '/kill', f'{t}/whole{n}')
        os.rename(t + '/kill.space', f'{t}/whole{n}.space')
END
	bail "$(tail -n 1 "$T/kills")"
unlike "15 times killed: no run but the killed one failed" \
	"$(cat "$T/kills")" "^[0-9]+ -?[0-9]+ "
like "all of them in the middle" "$(cat "$T/kills")" "^in the middle: 15 "
diag "$(cat "$T/kills")"
ok "the remains do not start" does_not_start "$T/kill"
ok "the same again" to "$T/kill"
ok "makes the whole tree" "$BUILD/tests/tools/verifytree" "$T/kill"
ok "no mark is left" test ! -e "$T/kill/pitrkit.restoring" \
	-a ! -e "$T/kill.space/pitrkit.restoring"
pg_stop "$d"
ok "it starts" rs_start "$T/kill"
wait_for 30 rs_writes "$T/kill" || fail "it does not promote"
is "and holds everything" "$(rs_marks "$T/kill")" ab
pg_stop "$T/kill" immediate
done_testing
