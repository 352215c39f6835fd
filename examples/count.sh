#!/bin/sh
# Counts the lines and words of each file below $1. Lines that begin with ::progress or ::warning speak to the hub.
set -eu
total=$(find "$1" -type f | wc -l)
done=0
find "$1" -type f | sort | while read -r file; do
    wc -lw "$file"
    [ -s "$file" ] || echo "::warning $file is empty"
    done=$((done + 1))
    echo "::progress $done/$total files"
    sleep 0.3
done
