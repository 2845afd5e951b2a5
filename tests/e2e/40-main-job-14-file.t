#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/main-job.sh"
main_job 14 1 file files
done_testing
