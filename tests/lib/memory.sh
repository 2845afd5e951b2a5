# What a command has in memory, for tests/long.

# Prints the most KiB that a command had resident.
cat >"$T/peak" <<'END'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
END

# It succeeds within 128 MiB.
below() { # NAME CMD...
	b_name=$1
	shift
	ok "$b_name" "$PYTHON" "$T/peak" "$@"
	atmost "$b_name: KiB resident" "$(cat "$T/out")" $((128 << 10))
	diag "$(cat "$T/out") KiB"
}

# 200 000 files of no table, which are backed up as well: base/junk*.
small_files() { # DATA_DIRECTORY
	"$PYTHON" - "$1" <<'END' || bail "no files"
import os, sys
for i in range(200):
    os.mkdir(f'{sys.argv[1]}/base/junk{i}')
    for j in range(1000):
        with open(f'{sys.argv[1]}/base/junk{i}/a_rather_long_name_{j}',
                  'wb') as f:
            f.write(os.urandom(64) * (1 + j % 8))
END
}
