#!/bin/sh
# The source is laid out as .clang-format says: "make format" changes nothing.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

ok "make format would change nothing" \
	clang-format --dry-run -Werror $(c_sources lib cmd tests examples)

done_testing
