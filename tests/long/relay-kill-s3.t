#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/relay-kill.sh"
relay_kill s3
done_testing
