#!/bin/sh
# step.sh TABLE NAME COMMAND...: runs the command and adds to the table how long it took.
# step.sh TABLE: prints the table and its sum.
set -u
table=$1
if [ $# = 1 ]; then
    awk '{ sum += $1; print } END { printf "%5.1f min in all\n", sum }' "$table"
    exit
fi
name=$2
shift 2
began=$(date +%s)
"$@"
status=$?
mkdir -p "$(dirname "$table")"
awk -v name="$name" -v seconds=$(($(date +%s) - began)) 'BEGIN { printf "%5.1f min  %s\n", seconds / 60, name }' >>"$table"
exit $status
