#!/bin/sh
# clang-tidy and clang's analyzer find nothing in the library and the commands.
# .clang-tidy says what they look for.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

make_show '$(CPPFLAGS_ALL) $(ALL_INC)' >"$T/flags"
cat >"$T/tidy" <<'EOF'
flags=$1
shift
eval "set -- \"\$@\" -- -std=c11 $(cat "$flags")"
case $1 in
# It defines what analyzer.h puts in other words.
lib/util/fault.c) ;;
*) set -- "$@" -include tests/lint/analyzer.h ;;
esac
exec clang-tidy --quiet "$@" 2>/dev/null
EOF

tidy() {
	c_sources "$1" | grep '\.c$' | xargs -P 2 -n 1 sh "$T/tidy" "$T/flags"
}
ok "clang-tidy finds nothing in lib" tidy lib
ok "clang-tidy finds nothing in cmd" tidy cmd

# The first line of defence must not be a blunt one.
cat >"$T/wrong.c" <<'EOF'
#include <stdlib.h>
int wrong(void);
int
wrong(void)
{
	int *p = malloc(sizeof(p));

	free(p);
	return *p;
}
EOF
cp .clang-tidy "$T"
nok "clang-tidy does find a use after free" \
	sh "$T/tidy" "$T/flags" "$T/wrong.c"

done_testing
