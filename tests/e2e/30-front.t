#!/bin/sh
# However walpush and walfetch are called, the program that they become is the
# one that was installed with them.
. "$(dirname "$0")/../lib/pitrkit.sh"

mkdir -p "$T/i/bin" "$T/i/libexec/pitrkit" "$T/other/bin" \
	"$T/other/libexec/pitrkit" "$T/alone"
# A program that says which one it is.
worker() {
	printf '#!/bin/sh\necho "%s: $*"\n' "$2" >"$1" && chmod 755 "$1"
}
for p in walpush walfetch; do
	cp "$BUILD/$p" "$T/i/bin/$p"
	cp "$BUILD/$p" "$T/alone/$p"
	worker "$T/i/libexec/pitrkit/$p-worker" right
	worker "$T/other/libexec/pitrkit/$p-worker" wrong
	ln -s "$T/i/bin/$p" "$T/other/bin/$p"
	ln -s "$T/i/bin/$p" "$T/other/$p"
	worker "$T/other/$p-worker" wrong
done
ln -s "$T/i/bin" "$T/other/linked"
cd "$T/i" || bail "$T/i"
for p in walpush walfetch; do
	is "$p by its path" "$("$T/i/bin/$p" -V)" "right: -V"
	is "by a path from here" "$(bin/$p -V)" "right: -V"
	is "by its name alone" "$(PATH="$T/i/bin:$PATH" sh -c "$p -V")" \
		"right: -V"
	is "by a link to it" "$("$T/other/bin/$p" -V)" "right: -V"
	is "by a link beside another one" "$("$T/other/$p" -V)" "right: -V"
	is "by a link to its folder" "$("$T/other/linked/$p" -V)" "right: -V"
	worker "$T/i/bin/$p-worker" beside
	is "what is beside it goes first" "$(bin/$p -V)" "beside: -V"
	run "$T/alone/$p" -V
	case $p in walpush) want=1 ;; *) want=200 ;; esac
	is "without one it fails" $STATUS $want
	like "and tells why" "$(cat "$T/err")" \
		"^$p: $p-worker is neither beside this program nor in "
done
cd /

done_testing
