#!/bin/sh
# cppcheck finds nothing in the library and the commands.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

eval "set -- $(make_show '$(CPPFLAGS_ALL) $(ALL_INC)')"
[ $# -gt 5 ] || bail "no flags in the Makefile"
# Only the flags of this tree: cppcheck does not need the system's headers.
flags=
for f in "$@"; do
	case $f in
	-Ilib/* | -D_*) flags="$flags $f" ;;
	esac
done
set -- -q --std=c11 --language=c --error-exitcode=1 \
	--enable=warning,portability,performance $flags \
	-DPITRKIT_VERSION='"0"'
for d in lib cmd; do
	ok "cppcheck finds nothing in $d" cppcheck "$@" "$d"
done

cat >"$T/wrong.c" <<'EOF'
int
wrong(int i)
{
	int a[4] = {0};

	return i > 3 ? a[4] : a[0];
}
EOF
nok "cppcheck does find an access beyond an array" cppcheck "$@" "$T/wrong.c"

done_testing
