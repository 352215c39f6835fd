"""Output in pieces: head and tail, bounded in memory and in the database."""

import sys

from jobs.worker.output import PIECE_CHARS, Batch, OutputBuffer

LIMIT = 65536


def text_of(batch: Batch) -> str:
    return "".join(text for _, _, text in batch.pieces)


def kept(*batches: Batch) -> str:
    """What the database holds after these."""
    rows: dict[int, str] = {}
    for batch in batches:
        rows = {seq: text for seq, text in rows.items() if seq not in batch.gone}
        rows |= {seq: text for seq, _, text in batch.pieces}
    return "".join(rows[seq] for seq in sorted(rows))


# -- it works --------------------------------------------------------------------------------------------------
def test_small_output_is_kept_as_it_is() -> None:
    buffer = OutputBuffer(LIMIT)
    buffer.append("stdout", "one\n")
    buffer.append("stdout", "two\n")
    assert buffer.take().pieces == [(1, "stdout", "one\ntwo\n")]


def test_streams_stay_apart_and_in_order() -> None:
    buffer = OutputBuffer(LIMIT)
    for stream, text in (("stdout", "a"), ("stderr", "b"), ("stdout", "c")):
        buffer.append(stream, text)
    assert buffer.take().pieces == [(1, "stdout", "a"), (2, "stderr", "b"), (3, "stdout", "c")]


def test_a_batch_goes_on_where_the_last_one_ended() -> None:
    buffer = OutputBuffer(LIMIT, seq=7)
    buffer.append("stdout", "a")
    buffer.take()
    buffer.append("stdout", "b")
    assert buffer.take().pieces == [(9, "stdout", "b")]


def test_nothing_new_is_nothing_to_write() -> None:
    assert not OutputBuffer(LIMIT).take()


def test_no_piece_is_larger_than_64_kib() -> None:
    buffer = OutputBuffer(1 << 20)
    buffer.append("stdout", "\U0001f600" * 3 * PIECE_CHARS)
    assert max(len(text.encode()) for _, _, text in buffer.take().pieces) <= 65536


# -- odd characters --------------------------------------------------------------------------------------------
def test_nul_and_lone_surrogates_become_replacement_characters() -> None:
    buffer = OutputBuffer(LIMIT)
    buffer.append("stdout", "a\0b\udc80c\U0001f600")
    assert text_of(buffer.take()) == "a\ufffdb\ufffdc\U0001f600"


# -- the limit -------------------------------------------------------------------------------------------------
def test_the_head_and_the_tail_of_a_flood_are_kept() -> None:
    buffer = OutputBuffer(LIMIT)
    lines = [f"line {number}\n" for number in range(20_000)]
    for line in lines:
        buffer.append("stdout", line)
    text = text_of(buffer.take())
    assert (text.startswith(lines[0]), text.endswith(lines[-1]), len(text) <= LIMIT + 2 * 65536) == (True, True, True)


def test_the_limit_holds_over_many_flushes() -> None:
    buffer = OutputBuffer(LIMIT)
    batches = []
    for number in range(400):
        buffer.append("stdout", f"{number:04}" * 250)
        batches.append(buffer.take())
    text = kept(*batches)
    assert (len(text) <= LIMIT, text.startswith("0000"), text.endswith("0399")) == (True, True, True)


def test_what_is_not_kept_is_counted() -> None:
    buffer = OutputBuffer(LIMIT)
    batches = []
    for _ in range(40):
        buffer.append("stdout", "x" * 10_000)
        batches.append(buffer.take())
    assert len(kept(*batches)) + batches[-1].dropped == 400_000


def test_what_a_flood_drops_between_two_flushes_is_counted() -> None:
    buffer = OutputBuffer(LIMIT)
    for _ in range(40):
        buffer.append("stdout", "é" * 5_000)
    batch = buffer.take()
    assert len(text_of(batch).encode()) + batch.dropped == 400_000


def test_no_sequence_is_written_and_removed_at_once() -> None:
    buffer = OutputBuffer(LIMIT)
    buffer.append("stdout", "x" * 10 * LIMIT)
    batch = buffer.take()
    assert not {seq for seq, _, _ in batch.pieces} & set(batch.gone)


def test_a_later_attempt_keeps_the_limit_of_the_whole_execution() -> None:
    first = OutputBuffer(LIMIT)
    first.append("stdout", "a" * 2 * LIMIT)
    batch = first.take()
    rows = [(seq, len(text.encode())) for seq, _, text in batch.pieces]
    second = OutputBuffer(LIMIT, seq=batch.seq, dropped=batch.dropped, kept=rows)
    second.append("stdout", "b" * 2 * LIMIT)
    text = kept(batch, second.take())
    assert (len(text) <= LIMIT, text[0], text[-1]) == (True, "a", "b")


# -- floods of tiny pieces -------------------------------------------------------------------------------------
def test_a_flood_of_single_characters_makes_few_pieces() -> None:
    buffer = OutputBuffer(LIMIT)
    for _ in range(100_000):
        buffer.append("stdout", "x")
    assert len(buffer.take().pieces) <= 8


def test_a_flood_that_changes_its_stream_every_time_is_bounded_too() -> None:
    buffer = OutputBuffer(LIMIT)
    for _ in range(20_000):
        buffer.append("stdout", "x")
        buffer.append("stderr", "y")
    assert len(buffer.take().pieces) <= 2 * LIMIT // 64


def test_a_flood_that_nobody_takes_stays_small_in_memory() -> None:
    buffer = OutputBuffer(LIMIT)
    for number in range(2_000):
        buffer.append("stdout" if number % 2 else "stderr", "x" * 1_000)
    held = sum(sys.getsizeof(text) for _, text in [*buffer._head, *buffer._tail])
    assert held < 2 * LIMIT


# -- a batch that could not be written -------------------------------------------------------------------------
def test_a_batch_that_comes_back_is_written_with_what_came_after_it() -> None:
    buffer = OutputBuffer(LIMIT)
    buffer.append("stdout", "first ")
    returned = buffer.take()
    buffer.append("stdout", "second")
    both = returned.then(buffer.take())
    assert (text_of(both), both.seq) == ("first second", 2)


def test_a_batch_that_comes_back_loses_what_makes_room_meanwhile() -> None:
    older = Batch(pieces=[(1, "stdout", "a"), (2, "stdout", "b")], gone=[], seq=2, dropped=0)
    newer = Batch(pieces=[(4, "stdout", "d")], gone=[2, 3], seq=4, dropped=2)
    both = older.then(newer)
    assert ([seq for seq, _, _ in both.pieces], both.gone) == ([1, 4], [3])
