#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/main-job.sh"
main_job 15 16 file files
done_testing
