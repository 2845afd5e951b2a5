#!/bin/sh
# Both compilers accept the whole tree with all its warnings as errors. They
# ran before the tests ("make variants"); here it is proved that they did, and
# with the source as it stands.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

ok "gcc: no warnings in the tree" \
	make -q BUILD=build all unit
ok "clang: no warnings in the tree" \
	make -q BUILD=build/clang CC=clang all unit
ok "the sanitizers' build is that of this tree" \
	make -q BUILD=build/asan SAN=address,undefined all unit

done_testing
