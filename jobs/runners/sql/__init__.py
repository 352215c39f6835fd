"""What the runners that read SQL databases share: templates of queries, cursors, values and targets."""
