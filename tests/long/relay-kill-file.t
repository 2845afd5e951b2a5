#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/relay-kill.sh"
relay_kill file
done_testing
