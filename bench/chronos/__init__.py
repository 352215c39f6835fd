"""Whether schedules keep their promise while workers are killed and the clock is set, after Jepsen's Chronos test.

    python -m bench.chronos --seconds 60                 kills -9 of workers and of whole clusters
    python -m bench.chronos --idle                       nothing is killed, and each run begins within a second
    python -m bench.chronos --clock                      a clock that is set forward and back, at every summer time

Each time of each schedule must have one run within two seconds, or be written down as missed, or be made up for as its
`catch_up` says. There must be no other run. When the times are is computed here once more, by looking at the clock at
every second or minute.
"""
