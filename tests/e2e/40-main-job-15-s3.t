#!/bin/sh
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lib/main-job.sh"
main_job 15 64 s3 stream
done_testing
