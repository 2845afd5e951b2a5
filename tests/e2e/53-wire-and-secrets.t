#!/bin/sh
# Nothing readable leaves the host, and no secret is shown: not in the
# repository, on the wire, in messages, in the list of processes, in a dump.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

s3_start
s3_bucket bucket
bg relay "$PYTHON" "$TOP/tests/lib/relay.py" --upstream "${S3_HTTP#http://}" \
	--record "$T/wire" --port-file "$T/relay.port" --owner $$
wait_for 10 test -s "$T/relay.port" || bail "relay: $(cat "$T/relay.log")"
relay=http://127.0.0.1:$(cat "$T/relay.port")

new_key "$T/key"
chmod 600 "$T/key"
d=$T/main
rs_cluster "$d" "$T/conf" "$T/key" "file:$T/repo"
# No compression: it would hide what encryption has to.
settle() { # CONF KEYFILE REPO...
	s_conf=$1 s_key=$2
	shift 2
	write_conf "$s_conf" "$d" "$s_key" "$@" -- "compression = none"
}
settle "$T/conf" "$T/key" "file:$T/repo" "s3@$relay:$bucket/sealed"
mkdir "$T/BIRNENMARKER"
pg_psql "$d" "CREATE TABLESPACE space LOCATION '$T/BIRNENMARKER'"
pg_psql "$d" "CREATE TABLE secret_plans TABLESPACE space AS
	SELECT 'APFELMARKER' || g AS v FROM generate_series(1, 2000) g"
rs_mark "$d" QUITTENMARKER
oid=$(pg_psql "$d" "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")

# What is searched for: rows, names of relations, files and folders, settings,
# and the secrets, as text and as the bytes they stand for.
"$PYTHON" - "$T/key" "$S3_SECRET_FILE" >"$T/secrets" <<'END'
import base64, sys
for line in open(sys.argv[1]):
    if line.startswith(('private =', 'secret =')):
        text = line.split('=', 1)[1].strip()
        raw = base64.b64decode(text)
        for s in (text.encode(), raw, raw.hex().encode()):
            print(s.hex())
secret = open(sys.argv[2]).read().strip().encode()
print(secret.hex())
print(base64.b64encode(secret).hex())
END
is "the key's two secrets and the store's in all forms" \
	"$(wc -l <"$T/secrets")" 8
cat >"$T/search" <<'END'
# search SECRETS PLAIN... -- FILE|FOLDER...: prints what is found where
import os, sys
at = sys.argv.index('--')
wanted = {w.encode(): w for w in sys.argv[2:at]}
for n, line in enumerate(open(sys.argv[1])):
    wanted[bytes.fromhex(line)] = f'secret {n}'
total = 0
for top in sys.argv[at + 1:]:
    files = [top] if os.path.isfile(top) else [
        os.path.join(f, n) for f, _, names in os.walk(top) for n in names]
    for path in files:
        data = open(path, 'rb').read() + path.encode()[len(top):]
        total += len(data)
        for w in wanted:
            if w in data:
                print('found', wanted[w], 'in', path)
print('searched', total)
END
plain="APFELMARKER BIRNENMARKER QUITTENMARKER secret_plans pg_control PG_VERSION
	backup_label pg_xact postgresql.conf base/1/ search_path"
search() {
	"$PYTHON" "$T/search" "$T/secrets" $plain -- "$@"
}

# -- the search finds what is there ------------------------------------------
pg_psql "$d" "CHECKPOINT"
found=$(search "$d" "$T/BIRNENMARKER")
for marker in APFELMARKER QUITTENMARKER BIRNENMARKER secret_plans pg_control \
	PG_VERSION; do
	like "the search finds $marker in the data directory" "$found" \
		"found $marker in "
done
found=$(search "$T/key" "$S3_SECRET_FILE")
for n in 0 3 6; do
	like "and secret $n where it belongs" "$found" "found secret $n in "
done

# -- repository and wire -----------------------------------------------------
pg_psql "$d" "UPDATE mark SET v = v || '.'"
rs_archived "$d"
: >"$T/said"
say() {
	ok "$@"
	cat "$T/out" "$T/err" >>"$T/said"
}
say "a backup to S3" basebackup-ship -vv -c "$T/conf" --repo r2
say "a backup to a directory" basebackup-ship -vv -c "$T/conf"
say "a restore" pitr-restore -vv -c "$T/conf" --repo r2 --target-dir "$T/r" \
	--tablespace "$oid=$T/r.space"
last=$(cd "$d/pg_wal" && ls | grep -E '^[0-9A-F]{24}$' | head -n 1)
segment() {
	(cd "$d" && walpush -vv -c "$T/conf" "pg_wal/$last" &&
		walfetch -vv -c "$T/conf" "$last" "$T/segment")
}
say "a segment there and back" segment
like "the wire was listened to" "$(grep -ac "PUT /$bucket/sealed/main/" \
	"$T/wire")" "^[0-9]{2,}"
found=$(search "$T/repo" "$T/wire")
unlike "nothing readable is in the repository or on the wire" "$found" "^found"
atleast "of so many bytes" "$(echo "$found" | sed -n 's/searched //p')" 30000000
plain=APFELMARKER
atleast "something was said" "$(wc -l <"$T/said")" 10
unlike "no secret is in anything that was said, with -vv" \
	"$(search "$T/said" "$d.log" "$T/spool" "$T/r/postgresql.auto.conf")" \
	"^found"

# -- settings that are wrong -------------------------------------------------
secret=$(cat "$S3_SECRET_FILE")
: >"$T/said"
wrong() {
	w_name=$1 w_sed=$2
	shift 2
	cp "$T/conf" "$T/bad"
	chmod 600 "$T/bad"
	sed -i "$w_sed" "$T/bad"
	nok "$w_name: an error" pitr-restore -vv -c "$T/bad" --repo r2 --dry-run
	cat "$T/out" "$T/err" >>"$T/said"
}
sed "s|^secret_access_key_file.*|secret_access_key = $secret|" "$T/conf" \
	>"$T/bad"
ok "a secret among the settings" pitr-restore -vv -c "$T/bad" --repo r2 \
	--dry-run
cat "$T/out" "$T/err" >>"$T/said"
chmod 644 "$T/bad"
nok "that others may read: an error" pitr-restore -c "$T/bad" --dry-run
cat "$T/err" >>"$T/said"
wrong "the secret as another setting" "s|^region.*|$secret = x|"
wrong "the secret as a line of its own" "s|^region.*|$secret|"
wrong "the secret in base64, on a line of its own" \
	"s|^region.*|$(printf %s "$secret" | base64 -w0)|"
wrong "the secret twice" "s|^region.*|secret_access_key = $secret|"
wrong "the secret as a section" "s|^region.*|[$secret]|"
wrong "a wrong secret" \
	"s|^secret_access_key_file.*|secret_access_key = wrong$secret|"
wrong "a command that fails with it" "s|^secret_access_key_file.*|"`
	`"secret_access_key_command = echo $secret; exit 1|"
cp "$T/key" "$T/key.bad"
sed -i 's|^private = .|private = !|' "$T/key.bad"
wrong "a key file that is damaged" "s|^key_file.*|key_file = $T/key.bad|"
sed 's|^secret = ...|secret = |' "$T/key" >"$T/key.bad"
wrong "a key file that is cut" "s|^key_file.*|key_file = $T/key.bad|"
sed -i "s|^conninfo.*|conninfo = host=127.0.0.1 port=1 password=$secret x=y|" \
	"$T/conf"
nok "a password in a wrong conninfo" basebackup-ship -c "$T/conf" -vv
cat "$T/out" "$T/err" >>"$T/said"
unlike "no message holds a secret" "$(search "$T/said")" "^found"
atleast "they are messages" "$(wc -l <"$T/said")" 10

# -- running -----------------------------------------------------------------
settle "$T/conf" "$T/key" "file:$T/repo" "s3@$relay:$bucket/sealed"
sed -i '/^secret_access_key_file/d; /^access_key_id/d' "$T/conf"
cat >"$T/watch" <<'END'
# watch SIGNAL CMD...: what others see of it, then how it ends
import os, resource, signal, subprocess, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
p = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE)
time.sleep(1)
print(p.pid, open(f'/proc/{p.pid}/cmdline').read().replace('\0', ' '))
for name in 'environ', 'mem', 'maps':
    try:
        open(f'/proc/{p.pid}/{name}', 'rb').read(1)
        print(name, 'can be read')
    except OSError:
        print(name, 'cannot be read')
p.send_signal(getattr(signal, sys.argv[1]))
_, status = os.waitpid(p.pid, 0)
print('signal', os.WTERMSIG(status), 'dumped', os.WCOREDUMP(status))
END
mkdir "$T/cwd"
watch() {
	(cd "$T/cwd" && AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY_ID \
		AWS_SECRET_ACCESS_KEY=$secret "$PYTHON" "$T/watch" "$@")
}
watch SIGABRT sleep 30 >"$T/seen"
like "another program's environment is seen" "$(cat "$T/seen")" \
	"environ can be read"
# Where the system hands dumps to a program, that tells nothing of it here.
case $(cat /proc/sys/kernel/core_pattern) in
'|'* | */*) ;;
*) like "and it is dumped" "$(cat "$T/seen")" "dumped True" ;;
esac
rm -f "$T/cwd"/*
for sig in SIGABRT SIGQUIT SIGSEGV; do
	ok "$sig" watch $sig basebackup-ship -c "$T/conf" --repo r2 --rate 1MB
	seen=$(cat "$T/out")
	like "$sig: it was running" "$seen" "signal [1-9][0-9]* dumped"
	like "$sig: no dump" "$seen" "dumped False"
	unlike "$sig: its environment and memory are its own" "$seen" \
		"can be read"
	unlike "$sig: no secret in its arguments" "$(search "$T/out")" "^found"
	is "$sig: no core file" "$(ls -A "$T/cwd")" ""
done
done_testing
