#!/bin/sh
# Tablespaces in place (allow_in_place_tablespaces): folders in pg_tblspc, which
# PostgreSQL 15 sends with the data directory and later ones by themselves.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$(dirname "$0")/../lib/restore.sh"

new_key "$T/key"
for version in 15 16 17 18; do
	d=$T/$version
	pg_new $version "$d" --wal-segsize=1
	pg_set "$d" "allow_in_place_tablespaces = on"
	pg_archive "$d" "$T/conf"
	pg_start "$d" || bail "PostgreSQL $version does not start"
	write_conf "$T/conf" "$d" "$T/key" "file:$T/repo$version"
	pg_psql "$d" "CREATE TABLESPACE inside LOCATION ''"
	mkdir "$T/space$version"
	pg_psql "$d" "CREATE TABLESPACE outside LOCATION '$T/space$version'"
	pg_psql "$d" "CREATE TABLE i TABLESPACE inside AS
		SELECT g AS v FROM generate_series(1, 1000) g"
	pg_psql "$d" "CREATE TABLE o TABLESPACE outside AS
		SELECT g AS v FROM generate_series(1, 500) g"
	inside=$(pg_psql "$d" "SELECT oid FROM pg_tablespace
		WHERE spcname = 'inside'")
	outside=$(pg_psql "$d" "SELECT oid FROM pg_tablespace
		WHERE spcname = 'outside'")
	for source in stream files; do
		r=$T/r$version$source
		ok "$version: $source: a backup" \
			basebackup-ship -c "$T/conf" --source $source
		ok "$version: $source: restored" pitr-restore -c "$T/conf" \
			--target-dir "$r" --tablespace "$outside=$r.space" \
			--target-immediate --target-action promote
		ok "$version: $source: the tree is what the manifest says" \
			"$BUILD/tests/tools/verifytree" "$r"
		ok "$version: $source: the one inside is a folder again" \
			test -d "$r/pg_tblspc/$inside" \
			-a ! -L "$r/pg_tblspc/$inside"
		is "$version: $source: the other one a link" \
			"$(readlink "$r/pg_tblspc/$outside")" "$r.space"
		ok "$version: $source: it starts" rs_start "$r"
		wait_for 60 rs_writes "$r" ||
			fail "$version: $source: it does not promote"
		is "$version: $source: all is there" "$(pg_psql "$r" "SELECT
			(SELECT sum(v) FROM i) || ' ' ||
			(SELECT sum(v) FROM o)")" "500500 125250"
		pg_stop "$r" immediate
	done
	pg_stop "$d" immediate
done
done_testing
