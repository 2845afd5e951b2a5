#!/bin/sh
# The Debian package builds, as an ordinary user and away from any repository,
# holds every command and manual page, and lintian finds no error in it.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

commands=$(make_show '$(CMDS)')
mkdir "$T/src"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$T/src" ||
	bail "no copy of the tree"
cd "$T/src" || bail "$T/src"
unset BUILD

ok "the package builds" packaging/build-deb
deb=$(ls build/deb/pitrkit_*.deb) || bail "no package"
dpkg-deb -c "$deb" | awk '{ print $6 }' >"$T/list"
for c in $commands; do
	case $c in
	*-worker) place=libexec/pitrkit ;;
	*) place=bin ;;
	esac
	ok "$c is in it" grep -qx "./usr/$place/$c" "$T/list"
done
for p in man/*; do
	p=${p#man/}
	ok "$p is in it" \
		grep -qx "./usr/share/man/man${p##*.}/$p.gz" "$T/list"
done
is "nothing of the tests is in it" "$(grep -E 'tests|unit' "$T/list")" ""
ok "lintian finds no error" lintian --fail-on error "$deb"

done_testing
