# For the tests of look-ahead and prefetch; read after pitrkit.sh.
#
#	lingering PROGRAM         prints the process ids of this test's lingering
#	                          workers of walpush or walfetch
#	lingers PROGRAM           0 when there is one
#	gone PROGRAM              0 when there is none
#	kill_lingering PROGRAM SIGNAL

lingering() {
	for relay_p in $(grep -lxF "$1-linger" /proc/[0-9]*/comm 2>/dev/null |
		tr -dc '0-9\n'); do
		tr '\0' ' ' 2>/dev/null <"/proc/$relay_p/cmdline" |
			grep -qF -e "$T/" && echo "$relay_p"
	done
}

lingers() {
	[ -n "$(lingering "$1")" ]
}

gone() {
	! lingers "$1"
}

kill_lingering() {
	for relay_k in $(lingering "$1"); do
		kill -"$2" "$relay_k" 2>/dev/null
	done
}
