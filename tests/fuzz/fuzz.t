#!/bin/sh
# Every parser of outside bytes against a fuzzer: some seconds for each in the
# short run, half a minute in the long one. Seeds are in tests/fuzz/corpus/NAME.
# An input that once broke a parser is put there as well, and so tried for ever.
. "$(dirname "$0")/../lib/pitrkit.sh"

seconds=3
[ "$PITRKIT_SUITE" != long ] || seconds=30
# What was freed is kept aside by the sanitizer, and counts as memory.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=32
cd "$T" || bail "$T"

# The input it failed for goes to the report, for whoever mends the parser.
fuzz() {
	fuzz_seeds=$TOP/tests/fuzz/corpus/$1
	mkdir -p "$T/corpus/$1"
	ls "$fuzz_seeds" || return
	"$TOP/build/fuzz/fuzz_$1" -max_total_time=$seconds -timeout=10 \
		-rss_limit_mb=512 -use_value_profile=1 -print_final_stats=1 \
		-artifact_prefix="$T/found-" \
		"$T/corpus/$1" "$fuzz_seeds" && return
	for fuzz_input in "$T"/found-*; do
		echo "input, in base64:"
		base64 "$fuzz_input"
	done >&2
	return 1
}

for f in "$TOP"/tests/fuzz/fuzz_*.c; do
	f=$(basename "$f" .c)
	f=${f#fuzz_}
	ok "$f: no input breaks it" fuzz "$f" || continue
	# A fuzzer that cannot begin would find nothing either.
	atleast "... of those that were tried" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' \
			"$T/err" "$T/out" | tail -n 1)" 100
done

done_testing
