# What the tests of the source share. To be read after tests/lib/pitrkit.sh.

# A make that called us has left its own settings.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
cd "$TOP" || bail "$TOP"

# make_show EXPRESSION: what it is in the Makefile
make_show() {
	printf 'include Makefile\nshow:\n\t$(info %s)\n' "$1" |
		make -s -f - show BUILD=build/none | sed '$!b
		/^make: /d'
}

# c_sources DIRECTORY...: the names of all C files and headers in them
c_sources() {
	find "$@" -type f \( -name '*.c' -o -name '*.h' \) | sort
}
