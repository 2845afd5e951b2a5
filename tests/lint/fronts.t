#!/bin/sh
# What PostgreSQL starts for every WAL file starts at once: no library is
# loaded, and the processor is not asked what it is. An archive_command whose
# work was done ahead took a third longer, as glibc asks that forty times at
# each start, and on a virtual machine the host answers.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

for f in $(make_show '$(FRONTS)'); do
	p=$BUILD/$f
	readelf -dlhW "$p" >"$T/elf" || bail "no $f"
	is "$f loads no library" "$(grep -E 'NEEDED|INTERP' "$T/elf")" ""
	like "$f is placed anywhere in memory" "$(cat "$T/elf")" 'Type: +DYN'
	like "and read-only once it runs" "$(cat "$T/elf")" 'GNU_RELRO'
	like "its stack is guarded" "$(nm "$p")" ' [tTwW] __stack_chk_fail'
	objdump -d --no-show-raw-insn "$p" >"$T/code" || bail "no code"
	like "its code was looked at" "$(head -n 500 "$T/code")" 'ret'
	is "it asks the processor nothing" "$(grep -w cpuid "$T/code")" ""
done

done_testing
