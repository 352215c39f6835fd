"""Archives of files on disk: GNU tar's own incremental format, with a manifest that proves every byte.

    <container>/<backup name>/
        .lock                               held (flock) by the run that writes here
        20261122T074100.123456Z_level0/     one level, named by the moment (UTC) at which it began
            archive.tar.zst                 or .gz, or plain .tar: what `tar --listed-incremental` wrote
            snapshot.snar                   tar's list of what it saw: the next level is based on a copy of it
            members.jsonl.gz                one line of JSON per member: type, size, times, mode, SHA-256 …
            manifest.json                   what this level is, which one it needs (`parent`), sizes and SHA-256
        .partial-…                          half-written or half-removed: never a level, removed by the next run

A level is written as `.partial-…` and renamed when everything is on the disk. To restore by hand, apply the chain of
a level in an empty folder, the full one (level 0) first; each manifest names its `parent`, the level before it:

    sha256sum archive.tar.zst               # as `archive.sha256` in manifest.json
    tar --extract --listed-incremental=/dev/null --numeric-owner --xattrs --acls \\
        --use-compress-program=zstd --file=…_level0/archive.tar.zst
    tar --extract …                         # the same with level 1, and so on

One folder as the source: its contents stand at the top of the archive. Several sources, or a file: every member
stands under its full path without the leading slash.
"""
