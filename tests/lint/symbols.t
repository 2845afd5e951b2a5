#!/bin/sh
# What the objects of the library export, call and keep: as STYLE says.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

objects=$(ls lib/*/*.c | sed "s|\(.*\)\.c\$|$BUILD/\1.o|")
ok "every file of the library was built" ls $objects

# What they export, and what they call: lines of nm.
exported() {
	nm -A -g --defined-only $objects
}
called() {
	nm -A --undefined-only $objects
}
atleast "they export something" "$(exported | wc -l)" 100
atleast "and call something" "$(called | grep -c ' malloc$')" 10

# "lib/util/fdio_atomic.o: fdio_atomic_open": prefix is the name of the file up
# to its first "_".
is "foo.c and foo_bar.c export only foo_*" "$(
	exported | awk '{
		file = $1
		sub(/:.*/, "", file)
		sub(/.*\//, "", file)
		sub(/\.o$/, "", file)
		sub(/_.*/, "", file)
		if (index($NF, file "_") != 1)
			print
	}')" ""

# util/log writes the messages; cli and front are what commands begin with.
is "the library neither prints nor exits" "$(
	called |
		sed 's/@.*//; s/__\([a-z]*\)_chk$/\1/' |
		grep -E ' (v?f?printf|puts|fputs|putc|fputc|putchar|perror|stdout|stderr|exit|quick_exit|abort|__assert_fail|v?warnx?|v?errx?|error)$' |
		grep -vE 'lib/(util/log|cli/[a-z_]*|front/[a-z_]*)\.o:')" ""

# Not counted: what commands set once at their start (util/log, cli, front), the
# large variables of a loop that a process runs once (relay_serve), what is made
# once in a process and then only read (OpenSSL's algorithms, libcurl, libxml2),
# and a name that OpenSSL takes as a pointer to char without changing it.
is "the library keeps no mutable globals" "$(
	for o in $objects; do
		size -A "$o" | awk -v o="${o#"$BUILD"/}" '
			/^\.(data|bss|tdata|tbss)(\.[^r][^ ]*)? / && $2 > 0 {
				print o, $1, $2
			}'
	done | grep -vE '^lib/(util/log|cli/[a-z_]*|front/[a-z_]*)\.o ' |
		grep -vE '^lib/(crypto/crypto_alg|http/http_lib|xml/xml_lib|relay/relay_serve)\.o \.bss ' |
		grep -vxF 'lib/crypto/crypto.o .data 9')" ""

# With what they bring along they are most of the time that it takes to start.
for lib in libxml2 libcurl; do
	for p in walpush-worker walfetch-worker; do
		like "$p is linked with what it starts with" \
			"$(readelf -d "$BUILD/$p")" "NEEDED.*libc\.so"
		is "$p starts without $lib" \
			"$(readelf -d "$BUILD/$p" | grep "NEEDED.*$lib")" ""
	done
	like "the package depends on it all the same" \
		"$(readelf -d "$BUILD/pitr-restore")" "NEEDED.*$lib"
done

done_testing
