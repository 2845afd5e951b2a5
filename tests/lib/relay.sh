# For the tests of look-ahead and prefetch; read after pitrkit.sh.
#
#	lingering PROGRAM         prints the process ids of this test's lingering
#	                          workers of walpush or walfetch
#	lingers PROGRAM           0 when there is one
#	gone PROGRAM              0 when there is none
#	kill_lingering PROGRAM SIGNAL
#	socket_name PROGRAM       prints the name of the one worker's socket
#	called NAME               0 when a call is there that the worker behind
#	                          that socket has not answered

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

socket_name() {
	"$PYTHON" - "$1" "$(lingering "$1")" <<'PY'
import re, socket, struct, sys
for name in set(re.findall(r"@(pitrkit-" + sys.argv[1] + r"-\S+)",
                           open("/proc/net/unix").read())):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect("\0" + name)
        peer = s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if str(struct.unpack("3i", peer)[0]) == sys.argv[2]:
            print(name)
PY
}

# The end that the worker would take is listed beside its socket.
called() {
	[ "$(grep -c -e "@$1\$" /proc/net/unix)" -ge 2 ]
}
