#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/main-job.sh"
main_job 16 64 file files
done_testing
