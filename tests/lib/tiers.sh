# Backups over years, pruned by tiers on the way, and restores from what is left
# on real PostgreSQL: for a directory and a bucket. Sourced by tests/e2e/
# 68-*tiers*.t after pitrkit.sh. After clock_start, tiers REPO [LINE] does it all,
# with the server's, pitrkit's and the store's clock set to each date in turn;
# LINE is for the repository's settings. It is tiers_years, which leaves the plan
# of what is there in $T/plan, and the restores.
. "$TOP/tests/lib/retention.sh"
. "$TOP/tests/lib/clock.sh"

# It ends on Thursday 2026-03-19 12:00 UTC: the WAL window begins on the 17th at
# noon, the days are 16 to 19 of March, the weeks 10 to 12, the months January to
# March, the years 2024 to 2026. "gone", or what keeps the backup of that time.
tiers_table='2023-12-30 02:00  gone
2024-06-15 02:00  gone
2024-12-30 02:00  yearly 2024
2025-07-31 02:00  gone
2025-12-30 02:00  yearly 2025
2026-01-10 02:00  gone
2026-01-31 02:00  monthly 2026-01
2026-02-27 02:00  monthly 2026-02
2026-03-05 02:00  gone
2026-03-08 02:00  weekly 2026-W10
2026-03-13 02:00  gone
2026-03-15 02:00  weekly 2026-W11
2026-03-16 02:00  gone
2026-03-16 14:00  daily 2026-03-16
2026-03-17 02:00  daily 2026-03-17; retain_wal
2026-03-18 02:00  daily 2026-03-18
2026-03-19 02:00  daily 2026-03-19; weekly 2026-W12; monthly 2026-03; yearly 2026'

# What came into a directory has the time of the file system.
tiers_stamp() {
	[ "${repo#file:}" = "$repo" ] || clock_stamp "${repo#file:}" "$1"
}

# tiers_row TEXT: a committed row, in the archive; all rows are noted as TEXT's
tiers_row() {
	rs_mark "$d" "$1" || bail "no row"
	rs_archived "$d"
	tiers_stamp "$1"
	rs_marks "$d" >"$T/rows.$(echo "$1" | tr ' ' _)"
}

tiers_rows() {
	cat "$T/rows.$(echo "$1" | tr ' ' _)"
}

tiers_prune() {
	retention-prune -c "$T/conf" >"$T/out" 2>&1 ||
		bail "pruning at $1: $(cat "$T/out")"
}

# tiers_backup DATE TIME: its id in $T/id.DATE_TIME; rows around it
tiers_backup() {
	clock_set "$1 $2"
	tiers_row "$1 $2"
	basebackup-ship -c "$T/conf" >"$T/out" 2>&1 ||
		bail "no backup: $(cat "$T/out")"
	tail -n 1 "$T/out" >"$T/id.$1_$2"
	tiers_stamp "$1 $2"
	clock_set "$1 $2:30"
	tiers_row "$1 $2:30"
	tiers_prune "$1 $2"
}

# Rows between backups, by the day of the backup before them.
tiers_between() {
	case $1 in
	2026-01-31)
		pg_psql "$d" "SELECT pg_create_restore_point('let go')" \
			>/dev/null
		set -- "2026-02-10 12:00"
		;;
	2026-03-17) set -- "2026-03-17 11:00" "2026-03-17 13:00" \
		"2026-03-17 20:00" ;;
	2026-03-18) set -- "2026-03-18 15:00" ;;
	2026-03-19) set -- "2026-03-19 11:00" ;;
	*) return ;;
	esac
	for tiers_t in "$@"; do
		clock_set "$tiers_t"
		tiers_row "$tiers_t"
	done
	[ "$1" != "2026-03-18 15:00" ] ||
		tiers_xid=$(pg_psql "$d" "SELECT xmin FROM mark WHERE v = '$1'")
	pg_psql "$d" "SELECT pg_create_restore_point('after $1')" >/dev/null
	rs_archived "$d"
	tiers_stamp "$tiers_t"
}

# tiers_restored NAME TIME OPTION...: a server has the rows noted at TIME
tiers_restored() {
	t_name=$1 t_rows=$(tiers_rows "$2")
	shift 2
	rt_restored "$t_name" "$t_rows" "$@"
}

# The lines of a listing that name a backup which has gone.
tiers_gone_of() {
	grep -F -e "$(echo "$tiers_table" | while read -r day at keeps; do
		[ "$keeps" != gone ] || cat "$T/id.${day}_$at"
	done)"
}

# What the plan of now says, against the table.
tiers_kept() {
	while read -r day at keeps; do
		id=$(cat "$T/id.${day}_$at")
		line=$(grep "^  *$id" "$T/plan")
		if [ "$keeps" = gone ]; then
			is "the backup of $day $at has gone" "$line" ""
			continue
		fi
		like "the backup of $day $at is kept: $keeps" "$line" "$keeps"
		tiers_restored "the backup of $day $at" "$day $at" \
			--backup "$id" --target-immediate
	done <<ROWS
$tiers_table
ROWS
}

tiers_moments() {
	tiers_restored "the first moment of the window" "2026-03-17 11:00" \
		--target-time "2026-03-17 12:00:00+00"
	tiers_restored "a moment in it" "2026-03-17 13:00" \
		--target-time "2026-03-17 13:30:00+00"
	tiers_restored "one on another day" "2026-03-18 15:00" \
		--target-time "2026-03-18 16:00:00+00"
	tiers_restored "the newest state" "2026-03-19 11:00"
	# They are looked for from the oldest backup on: there WAL is missing.
	tiers_restored "a named point in the window" "2026-03-17 20:00" \
		--target-name "after 2026-03-17 11:00"
	tiers_restored "a transaction" "2026-03-18 15:00" \
		--target-xid "$tiers_xid"

	exits 1 "a moment that was let go is refused" pitr-restore \
		-c "$T/conf" --dry-run --target-time "2026-02-11 00:00:00+00"
	like "... with the nearest before it" "$(cat "$T/err")" \
		"after 2026-01-31 02:00:.*$(cat "$T/id.2026-01-31_02:00")"
	like "... and after it" "$(cat "$T/err")" \
		"$(cat "$T/id.2026-02-27_02:00"), 2026-02-27 02:00:"
	exits 2 "so is one before the oldest backup" pitr-restore \
		-c "$T/conf" --dry-run --target-time "2024-11-01 00:00:00+00"
	like "... with that backup's end" "$(cat "$T/err")" \
		"$(cat "$T/id.2024-12-30_02:00").* 2024-12-30 02:00:"
	exits 2 "and a named point that was let go" pitr-restore \
		-c "$T/conf" --dry-run --target-name "let go"
	like "... by its name" "$(cat "$T/err")" "no restore point 'let go'"
}

tiers_years() {
	d=$T/main repo=$1 tiers_line=${2-}
	clock_set "2023-12-29 02:00"
	rt_cluster "$repo"
	write_conf "$T/conf" "$d" "$T/key" "$repo" -- "retain_full = 12h
retain_wal = 2d
retain_daily = 3
retain_weekly = 2
retain_monthly = 2
retain_yearly = 2
retain_minimum = 1"
	# The repository's section is the last.
	printf '%s\n' "$tiers_line" >>"$T/conf"
	# A here-document, so that the loop is no process of its own.
	while read -r day at keeps; do
		tiers_backup "$day" "$at"
		tiers_between "$day"
	done <<ROWS
$tiers_table
ROWS
	pg_stop "$d"
	clock_set "2026-03-19 12:00"
	tiers_prune now
	ok "what is left is planned" retention-prune -c "$T/conf" --dry-run
	cp "$T/out" "$T/plan"
}

tiers() {
	tiers_years "$@"
	tiers_kept
	tiers_moments
}
