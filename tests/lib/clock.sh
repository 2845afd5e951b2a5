# A clock that can be set; read after pitrkit.sh.
#
#	clock_make                the library of clockjump.c in CLOCK_LIB, and
#	                          CLOCKJUMP for whatever is started with it
#	clock_jump SECONDS        that clock is so far ahead of the real one
#	clocked CMD...            CMD with that clock
#	clock_start               from now on everything that the test starts has
#	                          that clock; the file system, and what was started
#	                          before, have the real one
#	clock_set TIME            it is TIME, and goes on from there
#	clock_stamp FOLDER TIME   files below it that have been written since, and
#	                          not stamped yet, are of TIME, as on a host whose
#	                          clock says so

clock_make() {
	preload clockjump
	CLOCK_LIB=$T/clockjump.so CLOCKJUMP=$T/clock
	ASAN_OPTIONS=verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export CLOCKJUMP ASAN_OPTIONS
}

clock_jump() {
	echo "$1" >"$T/clock.new"
	mv "$T/clock.new" "$T/clock"
}

clocked() {
	env LD_PRELOAD="$CLOCK_LIB" "$@"
}

clock_start() {
	: >"$T/clock.begin"
	touch -d '1 minute ago' "$T/clock.begin"
	LD_PRELOAD=$CLOCK_LIB
	export LD_PRELOAD
}

clock_set() {
	clock_jump $(($(date -d "$1" +%s) - $(CLOCKJUMP= date +%s)))
}

clock_stamp() {
	find "$1" -type f -newer "$T/clock.begin" -exec touch -d "$2" {} +
}
