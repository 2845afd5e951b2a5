#!/bin/sh
# The layers hold: a module can include what the Makefile's USES_ list of it
# names, and nothing else; the lists make no cycle.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

mkdir "$T/tree"
cp -r lib Makefile "$T/tree"
cd "$T/tree" || bail "$T/tree"
modules=$(make_show '$(MODULES)')
[ "$(echo $modules | wc -w)" -ge 10 ] || bail "no MODULES in the Makefile"

# One file for each pair of modules: allowed_* must compile, wrong_* not.
above=
for m in $modules; do
	uses=$(make_show "\$(USES_$m)")
	for u in $uses; do
		case " $above " in
		*" $u "*) ;;
		*) diag "$m uses $u, which stands below it"
		   echo "$m $u" >>"$T/below" ;;
		esac
	done
	above="$above $m"
	for n in $modules; do
		h=$(ls "lib/$n" | grep '\.h$' | head -n 1)
		kind=wrong
		case " $m $uses " in
		*" $n "*) kind=allowed ;;
		esac
		echo "#include \"$h\"" >"lib/$m/${kind}_$n.c"
		echo "build/lib/$m/${kind}_$n.o" >>"$T/objects"
	done
done
ok "a module uses only modules that stand above it" test ! -e "$T/below"

make -k -j2 BUILD=build $(cat "$T/objects") >"$T/make.log" 2>&1
compiled() {
	find build -name "$1_*.o" | sed 's/\.o$//' | sort
}
expected() {
	sed -n "s/\.o$//; /\/$1_/p" "$T/objects" | sort
}
is "every include that the Makefile allows compiles" \
	"$(compiled allowed)" "$(expected allowed)"
is "no include that it does not allow compiles" "$(compiled wrong)" ""
atleast "... which were a good number" "$(expected wrong | wc -l)" 100
cd "$TOP" || bail "$TOP"

is "no include goes around the include path" \
	"$(grep -nE '#[[:space:]]*include[[:space:]]*"(\.\./|/)' \
		$(c_sources lib cmd))" ""
is "no header is named like one of the system" "$(for h in lib/*/*.h; do
	[ ! -e "/usr/include/${h##*/}" ] || echo "$h"
done)" ""
is "no two headers have one name" \
	"$(ls lib/*/*.h | sed 's|.*/||' | sort | uniq -d)" ""

done_testing
